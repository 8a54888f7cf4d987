package balancer

import "testing"

// asked sends n requests that one target holds, while its group is held to two;
// tag, if any, is the group's own limit. It waits until so many are in flight.
func asked(t *testing.T, n int, tag string, inFlight int) (*rig, string, *backend, []<-chan answer) {
	t.Helper()
	r := start(t, Config{})
	tg, url := r.front(nil)
	if tag != "" {
		r.limit(tg, tag)
	}
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	r.Hold(tg.ARN, 2)
	c := client(t)
	var answers []<-chan answer
	for range n {
		answers = append(answers, later(t, c, url+"/hold"))
	}
	eventually(t, "as many in flight as may be, the rest queued", func() bool {
		got := r.traffic(tg)
		return got.InFlight == inFlight && got.Queued == n-inFlight && int(a.held.Load()) == inFlight
	})
	return r, tg.ARN, a, answers
}

// finish lets all be answered.
func finish(t *testing.T, a *backend, answers []<-chan answer) {
	t.Helper()
	for range answers {
		a.let()
	}
	for _, ch := range answers {
		if got := <-ch; got.status != 200 {
			t.Errorf("got %d %q", got.status, got.body)
		}
	}
}

// Of four requests to one target, two wait while it is held to two; the rest
// goes there when the hold ends.
func TestHold(t *testing.T) {
	r, arn, a, answers := asked(t, 4, "", 2)
	r.Hold("no such group", 1)
	r.Hold(arn, 0)
	eventually(t, "all held", func() bool { return a.held.Load() == 4 })
	finish(t, a, answers)
}

// A target group's tag stands, whatever is said: "0" is any number.
func TestHoldGivesWayToTheTag(t *testing.T) {
	for tag, inFlight := range map[string]int{"0": 3, "1": 1} {
		_, _, a, answers := asked(t, 3, tag, inFlight)
		finish(t, a, answers)
	}
}
