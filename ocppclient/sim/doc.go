// Package sim simulates charging stations that speak OCPP 2.0.1. A Machine is
// one station as a pure state machine: given the time and what happens, it
// says what the station sends and answers. A Client joins a Machine to a
// WebSocket and to a file that survives the process.
//
// The rules are written here a second time, from H01 to H04 of the standard
// and from what real stations do instead (Quirks). They share nothing with
// the belief that the rest of this program keeps, so that one mistake is not
// made on both sides.
package sim
