package contest

import "neargate/internal/sim"

// Around returns the contestant with its scaler inside another, which may look
// on: around gets the scaler of each run.
func (c Contestant) Around(around func(sim.Scaler) sim.Scaler) Contestant {
	enter := c.enter
	c.enter = func(sc *Scenario) (sim.Scaler, int) {
		s, initial := enter(sc)
		return around(s), initial
	}
	return c
}
