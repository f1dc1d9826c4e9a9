// Package api lets commands work through the process that serves the stations:
// HTTP and JSON over a Unix socket, server and client in one room so that they
// cannot drift apart. Opening the socket is the authority: whoever can may do
// what the owner of the state's file may, so nothing is masked on the way.
package api
