// Package ocppclient is the endpoint for charging stations: stations dial in,
// and we are the client of their functions.
//
// A Server admits stations and reads what they report; a Session is one socket,
// through which one call at a time is made. What a station reports goes to
// Config.Observe and is acknowledged once that has returned. What is wanted of
// a station is somebody else's business: Config.Joined is told of each socket,
// and who heard it calls Session.Call. The package knows nothing of plans and of
// storage.
//
// A silent socket costs one goroutine that reads, with a small buffer, and no
// timer: those are pinged in rounds. What is written, and messages that are
// read, share buffers with all others.
//
// Who is let in, in the order in which it is checked:
//
//	stopping, or as many connections as allowed    503
//	not a WebSocket handshake                      426
//	a browser's page from another host             403
//	no identity, or one that cannot be             404
//	no TLS or certificate, where they are needed   403
//	it could not be looked up                      503
//	unknown identity                               404
//	missing or wrong password, other user name     401
//	another serial number in the certificate       403
//	no subprotocol that both sides speak           400
//
// The subprotocol alone says which version is spoken, so a station that names
// none, or none of ours, is refused before the upgrade and told which ones
// there are. Nothing is stored of a station that was refused.
//
// Two sockets of one identity are both kept, because some stations flap for
// ever when either is closed: the newest is spoken to, the older one is
// listened to and answered until it dies, and a third closes the oldest.
package ocppclient
