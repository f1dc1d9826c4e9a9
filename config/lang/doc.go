// Package lang is what expressions of a configuration can do and may cost: the
// functions, the files they may read, and the guards without which hcl's parser
// and evaluator could be killed or stalled. It knows no blocks.
package lang
