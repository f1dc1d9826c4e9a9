// Package notify tells somebody else's program, by signed webhooks, what a person
// should look at: when it begins to stand, and when it is over. It knows nothing
// of what it tells, and whoever tells it never waits.
package notify
