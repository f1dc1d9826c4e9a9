// Package config reads the language of resctl: it turns a directory of HCL
// files, the given variables and nothing else into a Configuration whose every
// value has been checked, or into Diagnostics that name file, line and remedy.
//
// A configuration always means the same: nothing here reads the clock, the
// environment or the network, and paths stay inside the root directory. The
// package knows nothing of stations that are connected, of stored state, or of
// the time of day.
package config
