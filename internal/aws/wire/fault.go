package wire

import (
	"net/http"

	"neargate/internal/model"
)

// fault is an error as it goes out.
type fault struct {
	code, msg string
	status    int
	receiver  bool // our side is to blame
}

// side is how Query says who is to blame.
func (f fault) side() string {
	if f.receiver {
		return "Receiver"
	}
	return "Sender"
}

// newFault takes the error's own code and the status of its kind. denied is
// the protocol's status for callers that are not let in.
func newFault(c *call, e *model.Error, denied int) fault {
	f := fault{code: e.Code, msg: e.Msg, status: http.StatusBadRequest}
	switch e.Kind {
	case model.Internal:
		f.status, f.receiver = http.StatusInternalServerError, true
	case model.Unavailable:
		f.status, f.receiver = http.StatusServiceUnavailable, true
	case model.Denied:
		f.status = denied
	case model.TooLarge:
		f.status = http.StatusRequestEntityTooLarge
	default:
	}
	if f.code == "" {
		f.code = "InternalFailure"
	}
	if c.face != nil {
		if status, ok := c.face.Status[e.Code]; ok {
			f.status = status
		}
	}
	return f
}

// queryCodes are Query's names for the errors that wire and sigv4 make.
var queryCodes = map[string]string{
	"AccessDeniedException":               "AccessDenied",
	"ExpiredTokenException":               "ExpiredToken",
	"IncompleteSignatureException":        "IncompleteSignature",
	"InvalidSignatureException":           "SignatureDoesNotMatch",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"RequestEntityTooLargeException":      "RequestEntityTooLarge",
	"SerializationException":              "MalformedInput",
	"ThrottlingException":                 "Throttling",
	"UnknownOperationException":           "InvalidAction",
	"UnrecognizedClientException":         "InvalidClientTokenId",
}

// ec2Codes are EC2's, where it has its own.
var ec2Codes = map[string]string{
	"AccessDeniedException":       "UnauthorizedOperation",
	"ExpiredTokenException":       "RequestExpired",
	"InvalidSignatureException":   "AuthFailure",
	"MalformedInput":              "InvalidParameterValue",
	"SerializationException":      "InvalidParameterValue",
	"UnrecognizedClientException": "AuthFailure",
}

// ec2Texts are EC2's own messages, by its code.
var ec2Texts = map[string]string{
	"AuthFailure":    "AWS was not able to validate the provided access credentials",
	"RequestExpired": "Request has expired.",
}

// queryCode gives the name in Query of an error that has code elsewhere.
func queryCode(c *call, code string) string {
	if c.face != nil {
		if q, ok := c.face.QueryCodes[code]; ok {
			return q
		}
		if q, ok := ec2Codes[code]; ok && c.face.EC2 {
			return q
		}
	}
	if q, ok := queryCodes[code]; ok {
		return q
	}
	return code
}
