// Package v201 speaks OCPP 2.0.1, as far as reservations need it. It holds the
// messages of functional block H (Reservation) as both ends use them, those
// that a CSMS must answer to keep a station content, and a pure translation
// between them and the version-neutral words of package reservation. It knows
// nothing of connections.
//
// Requirement numbers such as H01.FR.04 are those of OCPP 2.0.1, part 2.
// What is sent is checked strictly, what is received is read liberally:
// stations send empty reason codes, EVSE 0, and times without a zone.
package v201

// Protocol is the WebSocket subprotocol of this version.
const Protocol = "ocpp2.0.1"
