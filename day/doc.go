// Package day is the test that lives a day: a depot of simulated stations at the
// endpoint, the loops and a state in SQLite, in virtual time. Vans come and do
// not come, strangers take bays, links are lost, stations start anew and drop
// what they hold, and the process is restarted. In the end the journal has to
// explain what became of every window, and stations hold nothing that it does not
// know. `make day` runs it with a fleet of 500.
//
// The sockets are listened to from outside: at most one of our calls is open at
// a station over all of its sockets, and none left that had not been recorded.
// What is found wrong is kept, a file for each station with its lines and frames.
//
// A seed draws who comes, what fails and when. What happens in one instant of
// virtual time is in the order of the scheduler, and reservation ids go to whom
// they are given first: a failure may need its seed more than once.
package day
