package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
)

// bootRetry is how long a station waits after a boot that was not accepted,
// where the CSMS leaves it to the station.
const bootRetry = 10 * time.Second

// begin takes the time and ends what it ends.
func (m *Machine) begin(now time.Time) {
	if now.After(m.now) {
		m.now = now
	}
	m.expire()
}

// finish reports what changed and hands the messages over.
func (m *Machine) finish() []Message {
	m.settle()
	return m.take()
}

func (m *Machine) take() []Message {
	out := m.out
	m.out = nil
	return out
}

// online: the CSMS hears other calls than BootNotification.
func (m *Machine) online() bool { return m.connected && m.Accepted }

func (m *Machine) send(action string, payload any) {
	m.out = append(m.out, Message{Action: action, Payload: payload})
}

// Boot brings the link up for a station that starts: BootNotification goes
// first, and all else waits for BootAnswered.
func (m *Machine) Boot(now time.Time) []Message { return m.boot(now, "PowerUp") }

func (m *Machine) boot(now time.Time, reason string) []Message {
	m.begin(now)
	m.out = nil // nothing precedes a boot
	m.connected = true
	m.notifyBoot(reason)
	return m.take()
}

// notifyBoot asks to be accepted; until then nothing counts as reported.
func (m *Machine) notifyBoot(reason string) {
	m.Accepted, m.retryBoot = false, time.Time{}
	for _, e := range m.EVSEs {
		clear(e.Reported)
	}
	m.send("BootNotification", v201.BootNotificationRequest{Reason: reason, ChargingStation: v201.ChargingStation{
		SerialNumber: m.config.Serial, Model: m.config.Model, VendorName: m.config.Vendor}})
}

// BootAnswered takes the answer to BootNotification. Accepted is followed by
// the status of every connector and by what was kept; after anything else the
// station tries again (NextTimer).
func (m *Machine) BootAnswered(now time.Time, status string) []Message {
	m.begin(now)
	if !m.connected {
		return nil // too late: the next link brings another boot
	}
	if status != string(v201.Accepted) {
		m.retryBoot = m.now.Add(cmp.Or(m.Interval, bootRetry))
		return m.take()
	}
	m.Accepted, m.retryBoot = true, time.Time{}
	m.beatLater()
	for _, e := range m.EVSEs {
		e.Masked = m.config.Quirks.AvailableAfterBootThoughHeld && m.status(e) == v201.StatusReserved
	}
	m.settle()
	m.sendQueue()
	return m.take()
}

// Reboot is a power cycle. Transactions end with it. Reservations survive
// (B01.FR.13) if keep says so, and no quirk says otherwise; what waits to be
// sent always does.
func (m *Machine) Reboot(now time.Time, keep bool) []Message {
	m.begin(now)
	m.connected = false
	for _, e := range m.EVSEs {
		m.end(e, v201.ReasonAbnormal, "PowerLoss")
	}
	if !keep || m.config.Quirks.ForgetsOnReboot {
		m.Reservations, m.Lapsed = nil, nil
	}
	m.settle()
	return m.boot(now, "PowerUp")
}

// Disconnected takes the link down. The station goes on without it.
func (m *Machine) Disconnected(now time.Time) {
	m.begin(now)
	m.connected, m.retryBoot, m.nextBeat, m.out = false, time.Time{}, time.Time{}, nil
}

// Reconnected brings the link up again for a station that kept running. It
// reports what changed (B04.FR.02) and what was kept, and boots only if it was
// never accepted or cannot help it.
func (m *Machine) Reconnected(now time.Time) []Message {
	switch {
	case m.config.Quirks.BootsAtEveryReconnect:
		return m.Reboot(now, true)
	case !m.Accepted:
		return m.Boot(now)
	}
	m.begin(now)
	m.connected = true
	m.beatLater()
	m.settle()
	m.sendQueue()
	return m.take()
}

// SetInterval takes the interval that comes with the answer to
// BootNotification, before BootAnswered: between heartbeats where the station
// is let in (B01.FR.04), until the next boot where it is not (B02.FR.03). 0
// leaves it to the station, which then sends no heartbeats.
func (m *Machine) SetInterval(interval time.Duration) { m.Interval = max(0, interval) }

func (m *Machine) beatLater() {
	m.nextBeat = time.Time{}
	if m.Interval > 0 {
		m.nextBeat = m.now.Add(m.Interval)
	}
}

// Undelivered gives messages back that the CSMS did not acknowledge before the
// link was lost, in their order. Transaction events are kept and statuses are
// reported anew; updates are lost unless everything is queued.
func (m *Machine) Undelivered(messages []Message) {
	m.undelivered(messages, m.config.Quirks.QueueAll)
}

func (s *state) undelivered(messages []Message, all bool) {
	var back []queued
	for _, msg := range messages {
		switch p := msg.Payload.(type) {
		case v201.TransactionEventRequest:
			back = append(back, queued{Transaction: &p})
		case v201.ReservationStatusUpdateRequest:
			if all {
				back = append(back, queued{Update: &p})
			}
		case v201.StatusNotificationRequest:
			s.unreported(p.EVSEID, p.ConnectorID)
		case v201.NotifyEventRequest:
			at := p.EventData[0].Component.EVSE
			s.unreported(at.ID, at.ConnectorID)
		}
	}
	s.Queue = append(back, s.Queue...)
}

func (s *state) unreported(evse, connector int) {
	if e := s.evse(evse); e != nil && connector >= 1 && connector <= len(e.Reported) {
		e.Reported[connector-1] = ""
	}
}

// Retry sends again what was given back while the link stayed up: a CSMS may
// refuse a transaction event because it could not store it.
func (m *Machine) Retry(now time.Time) []Message {
	m.begin(now)
	if m.online() {
		m.sendQueue()
	}
	return m.take()
}

// Advance does what is due at that time: reservations expire by the station's
// clock, a boot that was not accepted is repeated, and the heart beats.
func (m *Machine) Advance(now time.Time) []Message {
	m.begin(now)
	if m.connected && !m.retryBoot.IsZero() && !m.now.Before(m.retryBoot) {
		return m.boot(now, "ApplicationReset")
	}
	if m.online() && !m.nextBeat.IsZero() && !m.now.Before(m.nextBeat) {
		m.send("Heartbeat", v201.HeartbeatRequest{})
		m.beatLater()
	}
	return m.take()
}

// expire ends what is over by the station's clock (H04.FR.01 to 03).
func (m *Machine) expire() {
	at := m.clock().Add(-m.config.Quirks.ExpiryDelay)
	var over []int32
	for _, r := range slices.Clone(m.Reservations) {
		if !r.Forever && !at.Before(r.Expiry) {
			over = append(over, r.ID)
			m.drop(r.ID)
		}
	}
	if over != nil {
		m.over(over)
	}
}

func (m *Machine) over(ids []int32) {
	m.lapse(ids)
	if !m.config.Quirks.NeverReportsExpiry {
		m.ended(ids, v201.UpdateExpired)
	}
}

// maxLapsed bounds the memory for CancelAfterExpiryAccepted.
const maxLapsed = 32

func (m *Machine) lapse(ids []int32) {
	if !m.config.Quirks.CancelAfterExpiryAccepted {
		return
	}
	m.Lapsed = append(m.Lapsed, ids...)
	m.Lapsed = slices.Clone(m.Lapsed[max(0, len(m.Lapsed)-maxLapsed):])
}

// ended reports that reservations are gone that nobody used or cancelled.
func (m *Machine) ended(ids []int32, why v201.ReservationUpdateStatus) {
	if !m.config.Quirks.UpdateBeforeStatus {
		m.settle()
	}
	for _, id := range ids {
		m.update(v201.NewReservationStatusUpdateRequest(id, why))
	}
	m.settle()
}

func (m *Machine) update(u v201.ReservationStatusUpdateRequest) {
	switch {
	case m.config.Quirks.NoUpdate:
	case m.online():
		m.send("ReservationStatusUpdate", u)
	case m.config.Quirks.QueueAll:
		m.Queue = append(m.Queue, queued{Update: &u})
	}
}

// transaction sends an event, or keeps it: these are never lost.
func (m *Machine) transaction(q v201.TransactionEventRequest) {
	if m.online() {
		m.send("TransactionEvent", q)
		return
	}
	q.Offline = true
	m.Queue = append(m.Queue, queued{Transaction: &q})
}

func (m *Machine) sendQueue() {
	for _, q := range m.Queue {
		if q.Transaction != nil {
			m.send("TransactionEvent", *q.Transaction)
		} else if q.Update != nil {
			m.send("ReservationStatusUpdate", *q.Update)
		}
	}
	m.Queue = nil
}
