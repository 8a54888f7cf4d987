package placement

// size is one row of the Fargate table: memory from, to and by in MiB.
type size struct {
	cpu, from, to, by int
}

// sizes returns the Fargate task sizes: ECS developer guide, AWS_Fargate. The
// smallest also has 512 MiB.
func sizes() []size {
	return []size{
		{256, 1024, 2048, 1024},
		{512, 1024, 4096, 1024},
		{1024, 2048, 8192, 1024},
		{2048, 4096, 16384, 1024},
		{4096, 8192, 30720, 1024},
		{8192, 16384, 61440, 4096},
		{16384, 32768, 122880, 8192},
	}
}

// FargateSize reports whether Fargate has tasks of cpu units with memory MiB.
func FargateSize(cpu, memory int) bool {
	if cpu == 256 && memory == 512 {
		return true
	}
	for _, s := range sizes() {
		if s.cpu == cpu {
			return memory >= s.from && memory <= s.to && (memory-s.from)%s.by == 0
		}
	}
	return false
}
