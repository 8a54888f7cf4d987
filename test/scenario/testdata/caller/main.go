// Command caller answers with its host's name, and asks others on demand:
// /call?url=URL&n=COUNT answers with the answers, one a line, as "STATUS BODY" or
// "error TEXT".
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	http.HandleFunc("/call", call)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		name, err := os.Hostname()
		if err != nil {
			name = err.Error()
		}
		fmt.Fprintf(w, "%s %s %s", name, r.Host, r.Header.Get("X-Forwarded-For"))
	})
	if err := http.ListenAndServe(":8080", nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func call(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.FormValue("n"))
	if err != nil {
		n = 1
	}
	client := http.Client{Timeout: 10 * time.Second}
	for range n {
		resp, err := client.Get(r.FormValue("url"))
		if err != nil {
			fmt.Fprintln(w, "error", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			fmt.Fprintln(w, "error", err)
			continue
		}
		fmt.Fprintf(w, "%d %s\n", resp.StatusCode, strings.ReplaceAll(string(body), "\n", " "))
	}
}
