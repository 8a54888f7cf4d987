package http1

import (
	"net/http"

	"neargate/internal/balancer/exchange"
	"neargate/internal/balancer/octet"
)

// parseKnown reads the fields that steer connection and framing.
func (r *request) parseKnown() error {
	encodings, forwarded := 0, 0
	var upgrades bool
	for i := range r.Fields {
		f := &r.Fields[i]
		value := f.Value
		switch f.ID {
		case exchange.ContentLengthField:
			if err := r.addLength(value); err != nil {
				return err
			}
		case exchange.TransferEncodingField:
			n, err := codings(value)
			if err != nil {
				return err
			}
			if encodings += n; encodings > 1 {
				return errManyEncodings
			}
			r.body = chunkedBody
		case exchange.ConnectionField:
			if err := r.connection(value); err != nil {
				return err
			}
		case exchange.ExpectField:
			r.Expects = r.minor == 1 && isFold(value, "100-continue")
		case exchange.TEField:
			r.Trailers = r.minor == 1 && named(value, "trailers")
		case exchange.UpgradeField:
			upgrades = named(value, "websocket")
		case exchange.ForwardedForField:
			forwarded += countItems(value)
		case exchange.OtherField:
			r.inspect(f.Name)
		default: // steers neither
		}
	}
	if forwarded > maxForwarded {
		return errForwardedCount
	}
	if err := r.frame(encodings); err != nil {
		return err
	}
	r.Upgrade = r.upgrades && upgrades && r.minor == 1 && r.body == noBody
	return nil
}

// inspect looks at the name of a field that steers nothing.
func (r *request) inspect(name string) {
	if !octet.All(name, octet.Plain) {
		r.Invalid++
	}
	if suspicious(name) {
		r.Blame(exchange.Ambiguous, "SuspiciousHeader")
	}
}

// maxForwarded is how many addresses X-Forwarded-For may hold; above it a
// request gets 463 (load-balancer-troubleshooting).
const maxForwarded = 30

func countItems(list string) int {
	n := 1
	for _, c := range []byte(list) {
		if c == ',' {
			n++
		}
	}
	return n
}

// addLength takes a Content-Length, which may be a list or come twice if all
// values are the same.
func (r *request) addLength(list string) error {
	for more := true; more; {
		var item string
		item, list, more = nextItem(list)
		n, ok := octet.Length(item)
		if !ok {
			return errBadLength
		}
		if r.lengths > 0 && n != r.length {
			return errManyLengths
		}
		r.length = n
		r.lengths++
	}
	return nil
}

// codings counts "chunked" in a Transfer-Encoding, the only coding passed on;
// "identity" means nothing.
func codings(list string) (chunked int, err error) {
	for more := true; more; {
		var item string
		item, list, more = nextItem(list)
		switch {
		case isFold(item, "chunked"):
			chunked++
		case isFold(item, "identity"):
		case len(item) == 0 || !octet.All(item, octet.Token):
			return 0, errBadEncoding
		default:
			return 0, errEncoding
		}
	}
	return chunked, nil
}

// maxConnection bounds the work of looking fields up in Connection lists.
const maxConnection = 1 << 10

// connection takes the options of a Connection field.
func (r *request) connection(list string) error {
	whole, others := list, false
	for more := true; more; {
		var item string
		item, list, more = nextItem(list)
		switch {
		case len(item) == 0:
		case isFold(item, "close"):
			r.wantsClose = true
		case isFold(item, "keep-alive"):
			r.wantsKeep = true
		case isFold(item, "upgrade"):
			r.upgrades = true
		default:
			others = true
		}
	}
	if !others {
		return nil
	}
	if len(r.options)+len(whole) > maxConnection {
		return errBadHeader
	}
	if r.options != "" {
		whole = r.options + "," + whole
	}
	r.options = whole
	return nil
}

// frame decides how the body is framed and how well the request complies
// (application-load-balancers, "Classification reasons").
func (r *request) frame(encodings int) error {
	bodiless := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case r.body == chunkedBody && r.minor == 0:
		// RFC 9112 6.1: framing is faulty; no mode can tell where it ends.
		return errBadEncoding
	case r.body == chunkedBody && encodings == 0:
		// Only "identity": the length counts, if there is one.
		r.body = noBody
		r.Blame(exchange.Ambiguous, "SuspiciousHeader")
	}
	if r.lengths > 1 {
		r.Blame(exchange.Ambiguous, "DuplicateContentLength")
	}
	switch {
	case r.body == chunkedBody && r.lengths > 0:
		r.Blame(exchange.Ambiguous, "BothTeClPresent")
	case r.body == chunkedBody && bodiless:
		r.Blame(exchange.Ambiguous, "UndefinedTransferEncodingSemantics")
	case r.body == chunkedBody || r.lengths == 0:
	case r.length > 0:
		r.body = lengthBody
		if bodiless {
			r.Blame(exchange.Ambiguous, "UndefinedContentLengthSemantics")
		}
	case bodiless:
		r.Blame(exchange.Acceptable, "GetHeadZeroContentLength")
	}
	return nil
}
