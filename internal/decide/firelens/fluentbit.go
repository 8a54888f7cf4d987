package firelens

import "strings"

// fluentBit writes a configuration of Fluent Bit in its classic form.
type fluentBit struct {
	head, filters, outputs strings.Builder
}

func (f *fluentBit) section(to *strings.Builder, kind string, lines ...field) {
	section(to, "["+kind+"]", "", lines...)
}

func (f *fluentBit) begin(records []field, include string) {
	f.section(&f.head, "INPUT", field{"Name", "tcp"}, field{"Listen", "127.0.0.1"}, field{"Port", "8877"}, field{"Tag", "firelens-healthcheck"})
	f.section(&f.head, "INPUT", field{"Name", "forward"}, field{"unix_path", Socket})
	f.section(&f.head, "INPUT", field{"Name", "forward"}, field{"Listen", "127.0.0.1"}, field{"Port", "24224"})
	if records != nil {
		lines := []field{{"Name", "record_modifier"}, {"Match", "*"}}
		for _, r := range records {
			lines = append(lines, field{"Record", r.name + " " + r.value})
		}
		f.section(&f.filters, "FILTER", lines...)
	}
	if include != "" {
		f.filters.WriteString("\n@INCLUDE " + include + "\n")
	}
	f.section(&f.outputs, "OUTPUT", field{"Name", "null"}, field{"Match", "firelens-healthcheck"})
}

func (f *fluentBit) filter(container, pattern string, exclude bool) {
	kind := "Regex"
	if exclude {
		kind = "Exclude"
	}
	f.section(&f.filters, "FILTER", field{"Name", "grep"}, field{"Match", container + "-firelens*"}, field{kind, "log " + pattern})
}

func (f *fluentBit) output(container, kind string, options []field) {
	f.section(&f.outputs, "OUTPUT", append([]field{{"Name", kind}, {"Match", container + "-firelens*"}}, options...)...)
}

func (f *fluentBit) String() string { return f.head.String() + f.filters.String() + f.outputs.String() }
