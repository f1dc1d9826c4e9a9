package reconcile

// sleepers are loops by the time at which they are woken; container/heap keeps
// the first one first.
type sleepers []*loop

func (s sleepers) Len() int           { return len(s) }
func (s sleepers) Less(i, j int) bool { return s[i].wakeAt.Before(s[j].wakeAt) }

func (s sleepers) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push is for container/heap.
func (s *sleepers) Push(x any) {
	p := x.(*loop)
	p.place = len(*s)
	*s = append(*s, p)
}

// Pop is for container/heap.
func (s *sleepers) Pop() any {
	last := len(*s) - 1
	p := (*s)[last]
	p.place = -1
	(*s)[last], *s = nil, (*s)[:last]
	return p
}
