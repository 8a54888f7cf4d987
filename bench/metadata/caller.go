package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// callerArgument makes this program what runs in the task.
const callerArgument = "metadata-caller"

// result is what came of a row of calls.
type result struct {
	Sent, Failed      int
	Took, Median, P99 time.Duration
}

func decode(resp *http.Response, into *result) error {
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the caller answers %s: %s %w", resp.Status, text, err)
	}
	return json.Unmarshal(text, into)
}

// serveCaller makes calls as it is asked to.
func serveCaller() error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		rate, err := strconv.Atoi(q.Get("rate"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		span, err := time.ParseDuration(q.Get("for"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		url := os.Getenv("ECS_CONTAINER_METADATA_URI_V4") + q.Get("what")
		if q.Get("what") == "credentials" {
			url = "http://169.254.170.2" + os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
		}
		text, err := json.Marshal(call(r.Context(), url, rate, span, q.Get("fresh") == "true"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	})
	srv := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: time.Minute}
	return srv.ListenAndServe()
}

// lines is how many calls may be under way at once.
const lines = 8

// call asks a URL at a steady rate.
func call(ctx context.Context, url string, rate int, span time.Duration, fresh bool) result {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: fresh, MaxIdleConnsPerHost: lines}}
	due := make(chan time.Time, rate)
	var mu sync.Mutex
	var all []time.Duration
	failed := 0
	var work sync.WaitGroup
	for range lines {
		work.Go(func() {
			for planned := range due {
				err := get(ctx, client, url)
				mu.Lock()
				all = append(all, time.Since(planned))
				if err != nil {
					failed++
				}
				mu.Unlock()
			}
		})
	}
	began := time.Now()
	for i := range int(span.Seconds() * float64(rate)) {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		timer := time.NewTimer(time.Until(at))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		due <- at
	}
	close(due)
	work.Wait()
	slices.Sort(all)
	return result{Sent: len(all), Failed: failed, Took: time.Since(began), Median: all[len(all)/2].Round(time.Microsecond), P99: all[len(all)*99/100].Round(time.Microsecond)}
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}
