package exchange

// tunnel joins both sides after 101 until both directions have ended, one
// breaks, or nothing has moved for the idle timeout.
func (f *Flow) tunnel() {
	f.keep, f.sum.Tunnel = false, true
	f.edit(&f.head)
	f.head.Close = false
	first, _, err := f.try.Buffered(Payload)
	if err != nil || f.client.Respond(&f.head, first, false) != nil {
		f.settle(ClientGone, false)
		return
	}
	f.whole = false
	f.up.tunnel = true
	early, _, err := f.client.Buffered(Payload)
	if err == nil && len(early) > 0 {
		err = f.try.Write(early, false)
	}
	if err == nil {
		f.startUpload()
		f.pour()
	}
	f.stopUpload()
	f.up.tunnel = false
	f.settle(OK, false)
}

// pour passes on what the target sends, until it ends that direction; then it
// waits for the other.
func (f *Flow) pour() {
	for {
		p, done, failure := f.awaitBody()
		if failure != OK {
			return
		}
		f.up.note()
		if err := f.client.Write(p, done); err != nil {
			return
		}
		if done {
			f.awaitUpload()
			return
		}
	}
}
