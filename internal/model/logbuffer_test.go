package model

import "testing"

func TestLogBuffer(t *testing.T) {
	for _, row := range []struct {
		mode, size string
		want       LogBuffer
		option     string
	}{
		{"", "", LogBuffer{}, ""},
		{"non-blocking", "", LogBuffer{}, ""},
		{"blocking", "", LogBuffer{Blocking: true}, ""},
		{"blocking", "4m", LogBuffer{Bytes: 4 << 20, Blocking: true}, ""},
		{"", "10M", LogBuffer{Bytes: 10 << 20}, ""},
		{"", "25mb", LogBuffer{Bytes: 25 << 20}, ""},
		{"", "512k", LogBuffer{Bytes: 512 << 10}, ""},
		{"", "1g", LogBuffer{Bytes: 1 << 30}, ""},
		{"", "1000", LogBuffer{Bytes: 1000}, ""},
		{"Blocking", "", LogBuffer{}, "mode"},
		{"", "0", LogBuffer{}, "max-buffer-size"},
		{"", "-1m", LogBuffer{}, "max-buffer-size"},
		{"", "1.5m", LogBuffer{}, "max-buffer-size"},
		{"", "m", LogBuffer{}, "max-buffer-size"},
		{"", "99999999999g", LogBuffer{}, "max-buffer-size"},
	} {
		c := LogConfig{Options: map[string]string{"mode": row.mode, "max-buffer-size": row.size}}
		got, option, ok := c.Buffer()
		if ok != (row.option == "") || option != row.option || ok && got != row.want {
			t.Errorf("mode %q, size %q: got %+v, option %q, %v, want %+v, %q", row.mode, row.size, got, option, ok, row.want, row.option)
		}
	}
}
