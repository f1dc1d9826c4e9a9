package statetest

import "testing"

func TestMemory(t *testing.T) {
	Exercise(t, func(*testing.T) Store { return NewMemory() })
}
