package wire

import (
	"net/http"
	"strings"

	"neargate/internal/model"
)

// fault is an error as it goes out.
type fault struct {
	code, msg string
	status    int
	receiver  bool // our side is to blame
}

// side is Query's word for who is to blame.
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

// queryCode returns the name in Query of an error that has code elsewhere: the
// service's own, EC2's, or that of an error which wire and sigv4 make.
func queryCode(c *call, code string) string {
	if c.face != nil {
		if q, ok := c.face.QueryCodes[code]; ok {
			return q
		}
		if c.face.EC2 {
			return ec2Code(code)
		}
	}
	return commonCode(code)
}

func commonCode(code string) string {
	switch code {
	case "AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "MissingAuthenticationTokenException",
		"RequestEntityTooLargeException", "ThrottlingException":
		return strings.TrimSuffix(code, "Exception")
	case "InvalidSignatureException":
		return "SignatureDoesNotMatch"
	case "SerializationException":
		return "MalformedInput"
	case "UnknownOperationException":
		return "InvalidAction"
	case "UnrecognizedClientException":
		return "InvalidClientTokenId"
	}
	return code
}

func ec2Code(code string) string {
	switch code {
	case "AccessDeniedException":
		return "UnauthorizedOperation"
	case "ExpiredTokenException":
		return "RequestExpired"
	case "InvalidSignatureException", "UnrecognizedClientException":
		return "AuthFailure"
	case "MalformedInput", "SerializationException":
		return "InvalidParameterValue"
	}
	return commonCode(code)
}

// ec2Text returns EC2's own message for an error, by the code that it has
// elsewhere, that others word differently.
func ec2Text(code, msg string) string {
	switch code {
	case "InvalidSignatureException", "UnrecognizedClientException":
		return "AWS was not able to validate the provided access credentials"
	case "ExpiredTokenException":
		return "Request has expired."
	}
	return msg
}
