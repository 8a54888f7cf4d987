package firelens

import "strings"

// fluentd writes a configuration of Fluentd.
type fluentd struct {
	head, filters, outputs strings.Builder
}

func (f *fluentd) begin(records []field, include string) {
	section(&f.head, "<source>", "</source>\n", field{"@type", "unix"}, field{"path", Socket})
	section(&f.head, "<source>", "</source>\n", field{"@type", "forward"}, field{"bind", "127.0.0.1"}, field{"port", "24224"})
	if records != nil {
		f.filters.WriteString("\n<filter **>\n    @type record_transformer\n    <record>\n")
		for _, r := range records {
			f.filters.WriteString("        " + r.name + " " + r.value + "\n")
		}
		f.filters.WriteString("    </record>\n</filter>\n")
	}
	if include != "" {
		f.filters.WriteString("\n@include " + include + "\n")
	}
}

func (f *fluentd) filter(container, pattern string, exclude bool) {
	kind := "regexp"
	if exclude {
		kind = "exclude"
	}
	f.filters.WriteString("\n<filter " + container + "-firelens**>\n    @type grep\n    <" + kind + ">\n        key log\n        pattern " +
		pattern + "\n    </" + kind + ">\n</filter>\n")
}

func (f *fluentd) output(container, kind string, options []field) {
	section(&f.outputs, "<match "+container+"-firelens**>", "</match>\n", append([]field{{"@type", kind}}, options...)...)
}

func (f *fluentd) String() string { return f.head.String() + f.filters.String() + f.outputs.String() }
