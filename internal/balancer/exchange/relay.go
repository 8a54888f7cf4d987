package exchange

import (
	"net/http"
	"time"
)

// relay passes the final answer on, whose head has come.
func (f *Flow) relay() {
	h := &f.head
	if a, ok := f.lease.(Answerer); ok {
		a.Answers(&f.Request, h)
	}
	f.sum.Status, f.sum.TargetStatus = h.Status, h.Status
	if h.Status == 101 {
		f.tunnel()
		return
	}
	h.Form = Payload
	if h.Chunks && f.Request.Version == "HTTP/1.1" {
		h.Form = Chunks
	}
	first, done, err := f.try.Buffered(h.Form)
	if err != nil {
		f.stopUpload()
		f.settle(BadAnswer, false)
		f.fail(BadAnswer, nil)
		return
	}
	f.addDate(h)
	f.edit(h)
	h.Close = !f.keep || f.up.running && h.Last
	switch {
	case !done || h.UntilClose:
		f.stream(first)
	case f.up.running || f.trailers() != nil:
		f.answerEarly(first)
	default:
		f.answerWhole(first)
	}
}

// answerWhole passes an answer on that has come entirely. The target is free before a slow
// client has taken it.
func (f *Flow) answerWhole(first []byte) {
	t := f.try
	f.free(t, f.reusable())
	f.endLease(OK)
	if err := f.client.Respond(&f.head, first, true); err != nil {
		f.leave()
	}
	t.Release()
}

// answerEarly passes an answer on that is complete before the request is, or that
// has trailers, and then what the target still takes of the request.
func (f *Flow) answerEarly(first []byte) {
	failure := ClientGone
	if err := f.client.Respond(&f.head, first, f.trailers() == nil); err == nil {
		failure = f.endWithTrailers()
	}
	f.close(failure)
}

// stream passes an answer on whose body has not come entirely. Once it has
// begun, cutting the client's connection is the only way to say that it failed.
func (f *Flow) stream(first []byte) {
	failure := ClientGone
	if err := f.client.Respond(&f.head, first, false); err == nil {
		failure = f.pass()
	}
	f.close(failure)
}

// pass copies the body.
func (f *Flow) pass() Failure {
	for {
		p, done, failure := f.awaitBody()
		if failure != OK {
			return failure
		}
		if done && f.trailers() == nil {
			return f.write(p, true)
		}
		if len(p) > 0 {
			if failure := f.write(p, false); failure != OK {
				return failure
			}
		}
		if done {
			return f.endWithTrailers()
		}
	}
}

func (f *Flow) write(p []byte, end bool) Failure {
	if err := f.client.Write(p, end); err != nil {
		return ClientGone
	}
	return OK
}

// trailers returns what came behind the body, if the client takes it.
func (f *Flow) trailers() []Field {
	if !f.Request.Trailers || f.head.Form == Chunks {
		return nil
	}
	if t := f.try.Trailers(); len(t) > 0 {
		return t
	}
	return nil
}

func (f *Flow) endWithTrailers() Failure {
	if t := f.trailers(); t != nil {
		if err := f.client.WriteTrailers(t); err != nil {
			return ClientGone
		}
	}
	return OK
}

// close ends an answer that was passed on as it came.
func (f *Flow) close(failure Failure) {
	if failure == OK {
		f.finishUpload()
	} else {
		f.stopUpload()
	}
	f.settle(failure, failure == OK && f.reusable())
	switch failure {
	case OK:
	case ClientGone:
		f.leave()
	default:
		f.keep = false
		f.sum.Reason = failure.String()
		f.client.Abort(f.head.UntilClose)
	}
}

// reusable reports whether the target's connection may take another request.
func (f *Flow) reusable() bool { return f.whole && f.Request.Class != Ambiguous }

// addDate adds the time to an answer that has none (RFC 9110 6.6.1).
func (f *Flow) addDate(h *Head) {
	for i := range h.Fields {
		if h.Fields[i].ID == DateField {
			return
		}
	}
	h.add("Date", f.date())
	h.Raw = nil
}

func (f *Flow) date() string {
	f.text.b = time.Now().UTC().AppendFormat(f.text.b, http.TimeFormat)
	return f.text.take()
}

// edit adds to the answer's head what the Router and the Group want.
func (f *Flow) edit(h *Head) {
	if len(f.Request.extra) > 0 {
		h.Fields = append(h.Fields, f.Request.extra...)
		h.Raw = nil
	}
	if f.edits != nil && !f.edits.Answer.empty() {
		h.Fields = f.edits.Answer.apply(h.Fields)
		h.Raw = nil
	}
}
