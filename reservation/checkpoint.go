package reservation

import "time"

// Checkpoint is a line of the journal at which the books were kept: a replay may
// begin after it.
type Checkpoint struct {
	Seq   int64     // of the last line before it; 0: none
	At    time.Time // when it was written
	Rules int       // RulesVersion of what follows
}
