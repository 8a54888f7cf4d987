package ecs

import (
	"math"
	"strconv"
	"strings"

	"neargate/internal/decide/placement"
)

// readCPU reads a task's cpu in units: "256", ".25 vCPU", "1 vCPU".
func readCPU(s string) (int, bool) { return readSize(s, "vcpu", 1024) }

// readMemory reads a task's memory in MiB: "512", "0.5 GB", "1GB".
func readMemory(s string) (int, bool) { return readSize(s, "gb", 1024) }

func readSize(s, unit string, per float64) (int, bool) {
	number, scaled := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), unit)
	if !scaled {
		n, err := strconv.Atoi(number)
		return n, err == nil && n > 0
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	v *= per
	return int(v), err == nil && v > 0 && v < 1<<30 && v == math.Trunc(v)
}

// fargateSize reads a pair of CPU and memory that Fargate has. ClientException.
func fargateSize(cpu, memory string) (units, mib int, err error) {
	if cpu == "" || memory == "" {
		return 0, 0, client("Fargate requires task definition to have cpu and memory specified.")
	}
	units, ok := readCPU(cpu)
	if !ok {
		return 0, 0, client("Invalid 'cpu' setting for task. Value: %s", cpu)
	}
	mib, ok = readMemory(memory)
	if !ok {
		return 0, 0, client("Invalid 'memory' setting for task. Value: %s", memory)
	}
	if !placement.FargateSize(units, mib) {
		return 0, 0, client("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", units, mib)
	}
	return units, mib, nil
}
