package scheduler

import "sync"

// mailbox hands items to the one goroutine that owns it. It is unbounded, as a
// lost exit would be a lost task, and its senders must not block.
type mailbox[T any] struct {
	mu    *sync.Mutex
	items *[]T
	wake  chan struct{}
}

func newMailbox[T any]() mailbox[T] {
	return mailbox[T]{mu: &sync.Mutex{}, items: new([]T), wake: make(chan struct{}, 1)}
}

func (m mailbox[T]) put(item T) {
	m.mu.Lock()
	*m.items = append(*m.items, item)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// empty reports whether nothing has come since the last take.
func (m mailbox[T]) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(*m.items) == 0
}

// take returns what has come since the last take, in order.
func (m mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := *m.items
	*m.items = nil
	return items
}
