package balancer

import "testing"

// Of four requests to one target, two wait while it is held to two; the rest
// goes there when the hold ends.
func TestHold(t *testing.T) {
	r := start(t, Config{})
	tg, url := r.front(nil)
	a := serve(t, "a")
	r.register(tg, a)
	r.await(tg, "healthy", a)
	r.Hold(tg.ARN, 2)
	c := client(t)
	var answers []<-chan answer
	for range 4 {
		answers = append(answers, later(t, c, url+"/hold"))
	}
	eventually(t, "two held and two queued", func() bool {
		got := r.traffic(tg)
		return got.InFlight == 2 && got.Queued == 2 && a.held.Load() == 2
	})
	r.Hold(tg.ARN, 0)
	eventually(t, "all held", func() bool { return a.held.Load() == 4 })
	if got := r.traffic(tg); got.Queued != 0 || got.InFlight != 4 {
		t.Errorf("after the hold %d queued, %d in flight", got.Queued, got.InFlight)
	}
	for range answers {
		a.let()
	}
	for _, ch := range answers {
		if got := <-ch; got.status != 200 {
			t.Errorf("got %d %q", got.status, got.body)
		}
	}
	r.Hold("no such group", 1)
}

// A target group's tag stands, whatever is said: "0" is any number.
func TestHoldGivesWayToTheTag(t *testing.T) {
	for value, inFlight := range map[string]int{"0": 3, "1": 1} {
		r := start(t, Config{})
		tg, url := r.front(nil)
		r.limit(tg, value)
		a := serve(t, "a")
		r.register(tg, a)
		r.await(tg, "healthy", a)
		r.Hold(tg.ARN, 2)
		c := client(t)
		var answers []<-chan answer
		for range 3 {
			answers = append(answers, later(t, c, url+"/hold"))
		}
		eventually(t, "as many as the tag says", func() bool {
			got := r.traffic(tg)
			return got.InFlight == inFlight && got.InFlight+got.Queued == 3
		})
		for range answers {
			a.let()
		}
		for _, ch := range answers {
			<-ch
		}
	}
}
