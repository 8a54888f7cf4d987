package balancer

import (
	"strings"

	"neargate/internal/balancer/exchange"
	"neargate/internal/model"
)

// The attributes of a listener about the headers of answers
// (listener-header-modification).
const (
	answerPrefix  = "routing.http.response."
	answerSuffix  = ".header_value"
	serverEnabled = "routing.http.response.server.enabled"
)

// editsOf is what a listener's attributes change of answers: a header that the load
// balancer adds replaces the target's. nil for nothing.
func editsOf(l model.Listener) *exchange.Edits {
	var edit exchange.Edit
	if l.Attributes[serverEnabled] == "false" {
		edit.Remove = append(edit.Remove, "Server")
	}
	for _, name := range answerHeaders() {
		key := answerPrefix + strings.ReplaceAll(strings.ToLower(name), "-", "_") + answerSuffix
		if v := l.Attributes[key]; v != "" {
			edit.Remove = append(edit.Remove, name)
			edit.Add = append(edit.Add, exchange.Field{Name: name, Value: v})
		}
	}
	if len(edit.Remove) == 0 {
		return nil
	}
	return &exchange.Edits{Answer: edit}
}

// answerHeaders are the headers that a listener can add to answers.
func answerHeaders() []string {
	return []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
		"Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
	}
}
