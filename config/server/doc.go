// Package server reads the file of settings of resctl serve, resctl.server.hcl:
// each value is checked, or a diagnostic names file, line and remedy. Nothing here
// reads the environment or the clock. Paths are relative to the directory of the
// file, and of the files that it names only that of a secret is read.
package server
