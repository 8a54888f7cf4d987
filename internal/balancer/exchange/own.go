package exchange

import (
	"errors"
	"net/http"
	"strconv"
)

// answer sends an answer of the balancer's own, in the form that AWS gives it.
func (f *Flow) answer(a *Answer) {
	f.keep = f.keep && f.whole
	f.sum.Own, f.sum.Status, f.sum.Reason = true, a.Status, a.Reason
	body := f.ownHead(a)
	if err := f.client.Respond(&f.head, octets(body), true); err != nil {
		f.keep = false
	}
}

// ownHead sets the head of an answer of ours, and returns its body. Answers below
// 200 and 204 and 304 have none; HEAD gets its length only.
func (f *Flow) ownHead(a *Answer) (body string) {
	h := &f.head
	*h = Head{Status: a.Status, Reason: reason(a.Status), Fields: h.Fields[:0], Own: true, Close: !f.keep}
	body, kind := a.Body, a.ContentType
	if body == "" && a.Status >= 300 && !a.Bare {
		body, kind = page(a.Status), "text/html"
	}
	h.add("Server", "awselb/2.0")
	h.add("Date", f.date())
	if a.Status == 204 || a.Status == 304 {
		body, h.Bodiless = "", true
	} else {
		if kind != "" {
			h.add("Content-Type", kind)
		}
		h.add("Content-Length", f.text.int(int64(len(body))).take())
	}
	if a.Location != "" {
		h.add("Location", a.Location)
	}
	h.Length = int64(len(body))
	f.edit(h)
	if f.Request.Method == http.MethodHead {
		h.Bodiless = true
		return ""
	}
	return body
}

func (h *Head) add(name, value string) {
	h.Fields = append(h.Fields, Field{Name: name, Value: value, ID: KnownField(name)})
}

// page is the body of AWS's errors and redirects.
func page(status int) string {
	title := strconv.Itoa(status) + " " + reason(status)
	if status == http.StatusFound {
		title = "302 Found"
	}
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" +
		title + "</h1></center>\r\n</body>\r\n</html>\r\n"
}

// reason is how an ALB names a status: as nginx, of which it seems to be made
// (captures show 302, 502 and 503).
func reason(status int) string {
	switch status {
	case http.StatusFound:
		return "Moved Temporarily"
	case http.StatusRequestTimeout:
		return "Request Time-out"
	case http.StatusRequestEntityTooLarge:
		return "Request Entity Too Large"
	case http.StatusRequestURITooLong:
		return "Request-URI Too Large"
	case http.StatusServiceUnavailable:
		return "Service Temporarily Unavailable"
	case http.StatusGatewayTimeout:
		return "Gateway Time-out"
	}
	return http.StatusText(status)
}

// refuse answers a request that is malformed or came too slowly, and has the
// connection ended.
func (f *Flow) refuse(e *Fault) {
	f.keep = false
	f.answer(&Answer{Status: e.Status, Reason: e.Reason})
}

// refuseClaim answers a request that no target was given for.
func (f *Flow) refuseClaim(err error) {
	var no *RefusalError
	switch {
	case f.gone.Load():
		f.leave()
	case f.ended():
		f.keep = false
	case errors.As(err, &no):
		f.answer(&Answer{Status: no.Status, Reason: no.Reason})
	default:
		f.answer(&Answer{Status: 503, Reason: err.Error()})
	}
}

// fail answers a request whose last try has failed; fault is what was wrong with
// its body, if that was why.
func (f *Flow) fail(failure Failure, fault *Fault) {
	if fault != nil {
		f.refuse(fault)
		return
	}
	status := 502
	switch failure {
	case ClientGone:
		f.leave()
		return
	case Ended:
		f.keep = false
		return
	case ConnectTimeout, Timeout:
		status = 504
	case NoRoom:
		status = 503
	default: // a target that broke or answered badly: 502
	}
	f.answer(&Answer{Status: status, Reason: failure.String()})
}
