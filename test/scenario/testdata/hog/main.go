// Command hog takes memory until it is stopped.
package main

import "time"

func main() {
	var held [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = byte(i)
		}
		held = append(held, b)
		time.Sleep(time.Millisecond * time.Duration(1+len(held)/1000))
	}
}
