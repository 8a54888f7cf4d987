package balancer

// Hold limits how many requests may be in flight at each target of a target
// group; what exceeds that waits in the group's queue. 0 ends it. A limit set by
// the target group's tag takes precedence. A hold is not kept over a restart;
// one of an unknown group does nothing.
func (b *Balancer) Hold(arn string, perTarget int) {
	g, ok := b.group(arn)
	if !ok || g.hold.Swap(int64(perTarget)) == int64(perTarget) {
		return
	}
	g.dispatch() // there may be room now
}
