package sim

import (
	"testing"
	"time"
)

// What the standard says: H01 to H04 of OCPP 2.0.1.
func TestRules(t *testing.T) {
	play(t, []scene{
		{"H01.FR.02 known id is replaced by the new content", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{reserve(41, 1, by("other")), "Accepted"},
			{reserve(41, 2), "Accepted: 1.1 Available, 2.1 Reserved, 2.2 Reserved"},
			{holds, "41@2"},
			{use(2, "other"), "false"},
		}},
		{"H01.FR.02 refused replacement keeps the old one", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{at(2, plug), "2.1 Occupied, 2.2 Occupied"},
			{reserve(41, 2), "Occupied"},
			{holds, "41@1"},
		}},
		{"H01.FR.02 replaced while a car is plugged in", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{at(1, plug), ""},
			{reserve(41, 1, by("other")), "Accepted"},
		}},
		{"H01.FR.04 any EVSE while one is Available", Quirks{}, []act{
			{at(1, fault), "1.1 Faulted"},
			{reserve(41, 0), "Accepted: 2.1 Reserved, 2.2 Reserved"},
			{reserve(42, 0), "Occupied"},
		}},
		{"H01.FR.06 FR.24 by connector type", Quirks{}, []act{
			{reserve(41, 0, typed("cType2")), "Accepted: 2.1 Reserved, 2.2 Reserved"},
			{reserve(42, 0, typed("cType2")), "Occupied"},
			{reserve(43, 0, typed("cCCS2")), "Accepted: 1.1 Reserved"},
			{cancel(41), "Accepted: 1.1 Available, 2.1 Available, 2.2 Available"},
		}},
		{"H01.FR.07 FR.09 FR.20 one is kept free", Quirks{}, []act{
			{reserve(41, 0), "Accepted"},
			{use(1, "anybody"), "true: 1.1 Occupied, 2.1 Reserved, 2.2 Reserved, Started at 1 by anybody"},
			{use(2, "anybody2"), "false"},
			{at(1, leave), "Ended at 1, 1.1 Available, 2.1 Available, 2.2 Available"},
		}},
		{"H01.FR.11 all targets reserved or occupied", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{reserve(42, 1), "Occupied"},
			{at(2, plug), "2.1 Occupied, 2.2 Occupied"},
			{reserve(43, 2), "Occupied"},
			{reserve(44, 0), "Occupied"},
		}},
		{"H01.FR.12 faulted", Quirks{}, []act{
			{at(1, fault), "1.1 Faulted"}, {reserve(41, 1), "Faulted"}}},
		{"H01.FR.14 unavailable", Quirks{}, []act{
			{at(1, disable), "1.1 Unavailable"}, {reserve(41, 1), "Unavailable"},
			{at(1, mend), "1.1 Available"}, {reserve(41, 1), "Accepted: 1.1 Reserved"}}},
		{"H01.FR.15 H03.FR.09 the token uses the reservation up", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{use(1, "T41"), "true: 1.1 Occupied, Started at 1 by T41 for 41"},
			{holds, ""},
			{cancel(41), "Rejected"},
			{at(1, leave), "Ended at 1, 1.1 Available"},
		}},
		{"H01.FR.16 a fault removes", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {at(1, fault), "1.1 Faulted, 41 Removed"}, {holds, ""}}},
		{"H01.FR.17 unavailable removes", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {at(1, disable), "1.1 Unavailable, 41 Removed"}}},
		{"H01.FR.19 untargeted is not supported", Quirks{RejectsUntargeted: true}, []act{
			{reserve(41, 0), "Rejected"}, {reserve(42, 0, typed("cCCS2")), "Rejected"}, {reserve(43, 1), "Accepted: 1.1 Reserved"}}},
		{"H01.FR.20 as many reservations as EVSEs", Quirks{}, []act{
			{reserve(41, 0), "Accepted"},
			{reserve(42, 0), "Accepted: 1.1 Reserved, 2.1 Reserved, 2.2 Reserved"},
			{reserve(43, 0), "Occupied"},
			{reserve(44, 1), "Occupied"},
		}},
		{"H01.FR.23 all connectors of the EVSE", Quirks{}, []act{
			{reserve(41, 2), "Accepted: 2.1 Reserved, 2.2 Reserved"}}},
		{"H01 unknown EVSE and type", Quirks{}, []act{
			{reserve(41, 7), "Rejected"}, {reserve(41, 0, typed("cTesla")), "Rejected"}, {reserve(41, 1, typed("cType2")), "Rejected"}}},
		{"H01 wrong fields", Quirks{}, []act{
			{reserve(0, 1), "OccurrenceConstraintViolation"},
			{reserve(-1, 1), "PropertyConstraintViolation"},
			{reserve(41, 1, typed("cMCS")), "PropertyConstraintViolation"}}},
		{"H02.FR.01 unknown id", Quirks{}, []act{{cancel(41), "Rejected"}}},
		{"H02.FR.02 FR.03 known id, no update", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {cancel(41), "Accepted: 1.1 Available"}, {cancel(41), "Rejected"}}},
		{"H02.FR.04 reserved by count only", Quirks{}, []act{
			{reserve(41, 0), "Accepted"},
			{reserve(42, 0), "Accepted: 1.1 Reserved, 2.1 Reserved, 2.2 Reserved"},
			{cancel(41), "Accepted: 1.1 Available, 2.1 Available, 2.2 Available"}}},
		{"H03.FR.02 FR.03 by type and any", Quirks{}, []act{
			{reserve(41, 0, typed("cType2")), "Accepted: 2.1 Reserved, 2.2 Reserved"},
			{use(1, "t41"), "true: 1.1 Occupied, Started at 1 by t41"}, // not its type: an ordinary use
			{use(2, "t41"), "true: 2.1 Occupied, 2.2 Occupied, Started at 2 by t41 for 41"}}},
		{"H03.FR.04 to 07 a member of the group", Quirks{}, []act{
			{reserve(41, 1, group), "Accepted: 1.1 Reserved"},
			{use(1, "stranger"), "false"},
			{use(1, "MEMBER"), "true: 1.1 Occupied, Started at 1 by MEMBER for 41"}}},
		{"G03.FR.09 plugged in without a token", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{at(1, plug), ""},
			{cancel(41), "Accepted: 1.1 Occupied"},
			{at(1, unplug), "1.1 Available"}}},
		{"H04.FR.01 FR.03 expiry", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{after(time.Hour - time.Second), ""}, {holds, "41@1"},
			{after(time.Second), "1.1 Available, 41 Expired"}, {holds, ""},
			{cancel(41), "Rejected"}}},
		{"B01.FR.13 B11.FR.05 reservations survive a boot", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{reboot, "BootNotification, 1.1 Reserved, 2.1 Available, 2.2 Available"}}},
		{"B04.FR.02 only changes after a lost link", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {offline, ""}, {reconnect, ""}}},
		{"E04 transactions are kept, updates are not", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {reserve(42, 2), "Accepted: 2.1 Reserved, 2.2 Reserved"},
			{offline, ""}, {use(1, "t41"), "true"}, {after(2 * time.Hour), ""},
			{reconnect, "1.1 Occupied, 2.1 Available, 2.2 Available, Started at 1 by t41 for 41 offline"}}},
		{"a transaction ends with the power", Quirks{}, []act{
			{use(1, "a"), "true: 1.1 Occupied, Started at 1 by a"},
			{reboot, "BootNotification, 1.1 Occupied, 2.1 Available, 2.2 Available, Ended at 1 offline"}}},
		{"taken away at the station", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"},
			{does(func(m *Machine, now time.Time) []Message { return m.Remove(now, 41) }), "1.1 Available, 41 Removed"}}},
	})
}

func TestTriggerMessage(t *testing.T) {
	status := func(evse, connector int) step {
		return func(b *bench) string {
			q := map[string]any{"requestedMessage": "StatusNotification"}
			if evse != 0 {
				q["evse"] = map[string]int{"id": evse, "connectorId": connector}
			}
			return b.call("TriggerMessage", q)
		}
	}
	boot := func(b *bench) string {
		return b.call("TriggerMessage", map[string]string{"requestedMessage": "BootNotification"})
	}
	play(t, []scene{
		{"F06.FR.12 the connector must be named", Quirks{}, []act{
			{status(0, 0), "Rejected"}, {status(2, 2), "Accepted: 2.2 Available"}, {status(2, 3), "Rejected"}}},
		{"F06.FR.17 an accepted boot is not repeated", Quirks{}, []act{
			{boot, "Rejected"},
			{does(func(m *Machine, now time.Time) []Message { return m.Boot(now) }), "BootNotification"},
			{reserve(41, 1), "Rejected"},
			{boot, "Accepted: BootNotification"},
			{does(func(m *Machine, now time.Time) []Message { return m.BootAnswered(now, "Pending") }), ""},
			{after(bootRetry), "BootNotification"}}},
		{"unknown calls", Quirks{}, []act{
			{func(b *bench) string { return b.call("Reset", map[string]string{"type": "Immediate"}) }, "NotImplemented"}}},
	})
}
