// Package scenarios holds acceptance tests: stations that speak literal frames
// to the real endpoint, a real SQLite state and the real loop. They do so over
// TCP and, where a wait is longer than a second, over pipes in virtual time.
// docs/scenarios.md lists what is accepted, and the tests that show it.
package scenarios
