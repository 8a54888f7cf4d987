package expression

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Parse reads an expression. Its grammar, loosest binding first:
//
//	or    = and { ("||" | "OR") and }
//	and   = cmp { ("&&" | "AND") cmp }
//	cmp   = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
//	sum   = term { ("+" | "-") term }
//	term  = power { ("*" | "/") power }
//	power = unary [ "^" power ]
//	unary = ["-"] atom
//	atom  = number | id | FUNCTION "(" [args] ")" | "(" or ")" | "[" args "]"
func Parse(text string) (Expression, error) {
	if len(text) > maxLength {
		return Expression{}, fmt.Errorf("an expression has at most %d characters", maxLength)
	}
	p := &parser{}
	if err := p.scan(text); err != nil {
		return Expression{}, err
	}
	root, err := p.level(0)
	if err != nil {
		return Expression{}, err
	}
	if p.peek() != "" {
		return Expression{}, fmt.Errorf("unexpected %q", p.peek())
	}
	return Expression{root}, nil
}

// maxDepth bounds nesting, so that no expression can exhaust the stack.
const maxDepth = 100

type parser struct {
	tokens []string
	depth  int
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) expect(want string) error {
	if got := p.next(); got != want {
		if got == "" {
			return fmt.Errorf("%q is missing at the end", want)
		}
		return fmt.Errorf("unexpected %q, want %q", got, want)
	}
	return nil
}

// scan cuts text into tokens; strings keep their opening quote.
func (p *parser) scan(text string) error {
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		n, err := tokenLength(rest)
		if err != nil {
			return err
		}
		token := rest[:n]
		if token[0] == '"' || token[0] == '\'' {
			token = token[:n-1]
		}
		p.tokens = append(p.tokens, token)
		rest = rest[n:]
	}
	if len(p.tokens) == 0 {
		return fmt.Errorf("the expression is empty")
	}
	return nil
}

func tokenLength(s string) (int, error) {
	c := s[0]
	switch {
	case c == '"' || c == '\'':
		end := strings.IndexByte(s[1:], c)
		if end < 0 {
			return 0, fmt.Errorf("a string is not closed")
		}
		return end + 2, nil
	case len(s) > 1 && strings.Contains("== != <= >= && ||", s[:2]) && s[1] != ' ':
		return 2, nil
	case strings.IndexByte("+-*/^()[],<>", c) >= 0:
		return 1, nil
	case c >= '0' && c <= '9' || c == '.':
		n := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n < 0 {
			n = len(s)
		}
		return n, nil
	case isWord(rune(c)):
		n := strings.IndexFunc(s, func(r rune) bool { return !isWord(r) && (r < '0' || r > '9') })
		if n < 0 {
			n = len(s)
		}
		return n, nil
	}
	return 0, fmt.Errorf("unexpected %q", s[:1])
}

func isWord(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// operators are the binary operators by level, loosest first.
func operators(level int) map[string]func(x, y float64) float64 {
	switch level {
	case 0:
		or := func(x, y float64) float64 { return truth(x != 0 || y != 0) }
		return map[string]func(x, y float64) float64{"||": or, "OR": or}
	case 1:
		and := func(x, y float64) float64 { return truth(x != 0 && y != 0) }
		return map[string]func(x, y float64) float64{"&&": and, "AND": and}
	case 2:
		return map[string]func(x, y float64) float64{
			"==": func(x, y float64) float64 { return truth(x == y) }, "!=": func(x, y float64) float64 { return truth(x != y) },
			"<": func(x, y float64) float64 { return truth(x < y) }, "<=": func(x, y float64) float64 { return truth(x <= y) },
			">": func(x, y float64) float64 { return truth(x > y) }, ">=": func(x, y float64) float64 { return truth(x >= y) },
		}
	case 3:
		return map[string]func(x, y float64) float64{
			"+": func(x, y float64) float64 { return x + y }, "-": func(x, y float64) float64 { return x - y },
		}
	default:
		return map[string]func(x, y float64) float64{
			"*": func(x, y float64) float64 { return x * y }, "/": func(x, y float64) float64 { return x / y },
		}
	}
}

// powerLevel is the level after those of operators.
const powerLevel = 5

// level parses a chain of operators of one level, left to right.
func (p *parser) level(level int) (node, error) {
	if level == powerLevel {
		return p.power()
	}
	left, err := p.level(level + 1)
	if err != nil {
		return nil, err
	}
	ops := operators(level)
	for {
		op, ok := ops[p.peek()]
		if !ok {
			return left, nil
		}
		p.next()
		right, err := p.level(level + 1)
		if err != nil {
			return nil, err
		}
		left = binary(left, right, op)
	}
}

func binary(left, right node, op func(x, y float64) float64) node {
	return func(env Env) (Value, error) {
		a, err := left(env)
		if err != nil {
			return Value{}, err
		}
		b, err := right(env)
		if err != nil {
			return Value{}, err
		}
		if err := env.Work.on(a, b); err != nil {
			return Value{}, err
		}
		v, err := combine(a, b, op)
		return finite(v), err
	}
}

// finite drops points that are no numbers, as after a division by zero.
func finite(v Value) Value {
	for i, s := range v.Series {
		out := s.with(nil, nil)
		for j, x := range s.V {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				out.At, out.V = append(out.At, s.At[j]), append(out.V, x)
			}
		}
		v.Series[i] = out
	}
	return v
}

func (p *parser) power() (node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, fmt.Errorf("the expression is nested more than %d deep", maxDepth)
	}
	minus := p.peek() == "-"
	if minus {
		p.next()
	}
	base, err := p.atom()
	if err != nil {
		return nil, err
	}
	if p.peek() == "^" {
		p.next()
		exponent, err := p.power()
		if err != nil {
			return nil, err
		}
		base = binary(base, exponent, math.Pow)
	}
	if minus {
		base = binary(func(Env) (Value, error) { return number(0), nil }, base, func(_, y float64) float64 { return -y })
	}
	return base, nil
}

func (p *parser) atom() (node, error) {
	t := p.next()
	switch {
	case t == "":
		return nil, fmt.Errorf("the expression ends too early")
	case t == "(":
		inner, err := p.level(0)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case t == "[":
		args, err := p.arguments("]")
		if err != nil {
			return nil, err
		}
		return arrayOf(args), nil
	case t[0] >= '0' && t[0] <= '9' || t[0] == '.':
		v, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", t)
		}
		return func(Env) (Value, error) { return number(v), nil }, nil
	case t[0] >= 'a' && t[0] <= 'z':
		return func(env Env) (Value, error) { return env.Lookup(t) }, nil
	case t[0] >= 'A' && t[0] <= 'Z':
		return p.call(t)
	}
	return nil, fmt.Errorf("unexpected %q", t)
}

func (p *parser) arguments(end string) ([]node, error) {
	var args []node
	for p.peek() != end {
		if len(args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		arg, err := p.level(0)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, p.expect(end)
}

// arrayOf puts time series and arrays of them into one array.
func arrayOf(args []node) node {
	return func(env Env) (Value, error) {
		out := Value{Kind: Array}
		for _, arg := range args {
			v, err := arg(env)
			if err != nil {
				return Value{}, err
			}
			if v.Kind == Number {
				return Value{}, fmt.Errorf("an array holds time series, not numbers")
			}
			out.Series = append(out.Series, v.Series...)
			if err := checkArray(len(out.Series)); err != nil {
				return Value{}, err
			}
			if err := env.Work.spend(len(v.Series)); err != nil {
				return Value{}, err
			}
		}
		return out, nil
	}
}
