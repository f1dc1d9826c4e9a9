// Package interop holds tests of resctl against peers that share no code with
// it: a charging station of another library, one in another language, and the
// JSON schemas of OCPP 2.0.1. It is a module of its own, so that what it needs
// stays out of resctl's go.mod.
package interop
