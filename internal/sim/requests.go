package sim

// Requests returns when the requests of a run of cfg come, in seconds from its
// beginning: so that a real service can be sent the same.
func Requests(cfg Config) []float64 {
	a := newArrivals(cfg)
	var at []float64
	for i, rate := range cfg.Rates {
		end := float64(i + 1)
		for t := a.after(float64(i), rate); t < end; t = a.after(t, rate) {
			at = append(at, t)
			a.demand() // from the same stream
		}
	}
	return at
}
