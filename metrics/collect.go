package metrics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/resctl/resctl/reservation"
)

// Sources are asked when somebody looks. A source that is nil has nothing.
type Sources struct {
	State        func(context.Context) (State, error)
	Endpoint     func() Endpoint
	Queued       func() int                  // things that wait to be recorded
	Certificates func() map[string]time.Time // by what they are for: when the first of them ends
	Ready        func(context.Context) []string
	Watches      func() map[string]string // how each watched directory stands, by workspace
	Notified     func() Notified
}

// Notified counts notifications since the process began.
type Notified struct {
	Waiting               int
	Sent, Failed, Dropped int64
}

// State is how things stand. The names of workspaces are labels as long as there
// are at most maxWorkspaces; others are counted as one.
type State struct {
	Occurrences        map[Standing]int
	Pending            map[Lack]int
	Overdue            map[string]int // by workspace
	Drift              map[string]int // by kind; every kind is there
	Connected, Offline int            // stations
	Applied            map[string]time.Time
	Age                time.Duration // of what is told
}

// Standing is where an occurrence stands.
type Standing struct {
	Workspace string
	Phase     reservation.Phase
}

// Lack is why something that is due is not held.
type Lack struct {
	Workspace string
	Reason    reservation.Reason
}

// Endpoint are the counts of the stations' endpoint.
type Endpoint struct {
	Open, Accepted             int64
	In, Out                    int64 // frames
	Malformed, Late, Unmatched int64
	Slowed                     int64            // what had to wait to be read
	Refused                    map[string]int64 // by cause; every cause is there
}

const (
	maxWorkspaces = 200
	others        = "(others)"
	lookTimeout   = 10 * time.Second
)

// desc is a metric that is made when somebody looks.
type desc struct {
	*prometheus.Desc
	kind prometheus.ValueType
}

func newDesc(kind prometheus.ValueType, name, help string, labels ...string) desc {
	return desc{prometheus.NewDesc(name, help, labels, nil), kind}
}

// looker asks the sources.
type looker struct {
	of  Sources
	log func(error)

	occurrences, pending, overdue, drift, stations, applied, readable, age desc
	connections, handshakes, refused, frames, malformed, answers, slowed   desc
	queue, certificate, ready, watch, notices, unsent                      desc
}

// Watch has sources asked whenever somebody looks.
func (m *Metrics) Watch(s Sources) {
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	m.registry.MustRegister(&looker{of: s, log: func(err error) { m.log.Error("the state could not be looked at for metrics", "error", err) },
		occurrences: newDesc(gauge, "resctl_occurrences", "Windows that are stored, by where they stand.", "workspace", "phase"),
		pending:     newDesc(gauge, "resctl_pending", "Windows that are due and not held as wanted, by what they wait for.", "workspace", "reason"),
		overdue:     newDesc(gauge, "resctl_overdue", "Windows that are open and not held as wanted.", "workspace"),
		drift:       newDesc(gauge, "resctl_drift", "What resctl drift shows: what a person should look at.", "kind"),
		stations:    newDesc(gauge, "resctl_stations", "Stations that are declared or known.", "state"),
		applied:     newDesc(gauge, "resctl_last_apply_timestamp_seconds", "When the last proposal was stored.", "workspace"),
		readable:    newDesc(gauge, "resctl_state_readable", "1 if the state could be read for these metrics."),
		age:         newDesc(gauge, "resctl_state_age_seconds", "How old the counts of windows are."),
		connections: newDesc(gauge, "resctl_connections", "Sockets of stations that are open."),
		handshakes:  newDesc(counter, "resctl_handshakes_total", "Sockets of stations that were let in."),
		refused:     newDesc(counter, "resctl_refused_total", "Connections that were not let in.", "cause"),
		frames:      newDesc(counter, "resctl_frames_total", "Messages from and to stations.", "direction"),
		malformed:   newDesc(counter, "resctl_malformed_frames_total", "Messages that were no frames of OCPP-J."),
		answers:     newDesc(counter, "resctl_stray_answers_total", "Answers that came late, or to nothing that was asked.", "kind"),
		slowed:      newDesc(counter, "resctl_slowed_total", "How often a station that said more than it may had to wait."),
		queue:       newDesc(gauge, "resctl_commit_queue", "Things that wait to be recorded."),
		certificate: newDesc(gauge, "resctl_certificate_expiry_timestamp_seconds", "When the first certificate that is shown ends.", "endpoint"),
		ready:       newDesc(gauge, "resctl_ready", "1 if /ready says so."),
		watch:       newDesc(gauge, "resctl_watch", "1, with how a watched directory stands.", "workspace", "state"),
		notices:     newDesc(counter, "resctl_notifications_total", "Notifications, by what became of them.", "result"),
		unsent:      newDesc(gauge, "resctl_notifications_waiting", "Notifications that wait to be sent."),
	})
}

// Describe is of prometheus.Collector.
func (l *looker) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []desc{l.occurrences, l.pending, l.overdue, l.drift, l.stations, l.applied, l.readable, l.age,
		l.connections, l.handshakes, l.refused, l.frames, l.malformed, l.answers, l.slowed, l.queue, l.certificate, l.ready, l.watch, l.notices, l.unsent} {
		ch <- d.Desc
	}
}

// Collect is of prometheus.Collector.
func (l *looker) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	put := func(d desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d.Desc, d.kind, value, labels...)
	}
	if l.of.State != nil {
		s, err := l.of.State(ctx)
		put(l.readable, is(err == nil))
		if err != nil {
			l.log(err)
		} else {
			l.state(s, put)
		}
	}
	if l.of.Endpoint != nil {
		l.endpoint(l.of.Endpoint(), put)
	}
	if l.of.Queued != nil {
		put(l.queue, float64(l.of.Queued()))
	}
	if l.of.Certificates != nil {
		for use, end := range l.of.Certificates() {
			put(l.certificate, float64(end.Unix()), use)
		}
	}
	if l.of.Watches != nil {
		for workspace, state := range l.of.Watches() { // each was named by a person
			put(l.watch, 1, workspace, state)
		}
	}
	if l.of.Notified != nil {
		n := l.of.Notified()
		put(l.unsent, float64(n.Waiting))
		put(l.notices, float64(n.Sent), "sent")
		put(l.notices, float64(n.Failed), Failed)
		put(l.notices, float64(n.Dropped), "dropped")
	}
	if l.of.Ready != nil {
		put(l.ready, is(len(l.of.Ready(ctx)) == 0))
	}
}

func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (l *looker) state(s State, put func(desc, float64, ...string)) {
	workspace := s.labels()
	occurrences, pending, overdue := map[Standing]int{}, map[Lack]int{}, map[string]int{}
	for k, n := range s.Occurrences {
		occurrences[Standing{workspace(k.Workspace), k.Phase}] += n
	}
	for k, n := range s.Pending {
		pending[Lack{workspace(k.Workspace), k.Reason}] += n
	}
	for w, n := range s.Overdue {
		overdue[workspace(w)] += n
	}
	for k, n := range occurrences {
		put(l.occurrences, float64(n), k.Workspace, string(k.Phase))
		overdue[k.Workspace] += 0 // an alert is about what was zero before
	}
	for k, n := range pending {
		put(l.pending, float64(n), k.Workspace, cmp.Or(string(k.Reason), "none"))
	}
	for w, n := range overdue {
		put(l.overdue, float64(n), w)
	}
	for kind, n := range s.Drift {
		put(l.drift, float64(n), kind)
	}
	for w, at := range s.Applied {
		if label := workspace(w); label == w { // the others have no time in common
			put(l.applied, float64(at.Unix()), w)
		}
	}
	put(l.stations, float64(s.Connected), "connected")
	put(l.stations, float64(s.Offline), "offline")
	put(l.age, s.Age.Seconds())
}

// labels says under which name a workspace is counted.
func (s State) labels() func(string) string {
	all := map[string]bool{}
	for k := range s.Occurrences {
		all[k.Workspace] = true
	}
	for k := range s.Pending {
		all[k.Workspace] = true
	}
	for w := range s.Applied {
		all[w] = true
	}
	if len(all) <= maxWorkspaces {
		return func(w string) string { return w }
	}
	kept := map[string]bool{}
	for _, w := range slices.Sorted(maps.Keys(all))[:maxWorkspaces] {
		kept[w] = true
	}
	return func(w string) string {
		if kept[w] {
			return w
		}
		return others
	}
}

func (l *looker) endpoint(e Endpoint, put func(desc, float64, ...string)) {
	put(l.connections, float64(e.Open))
	put(l.handshakes, float64(e.Accepted))
	for cause, n := range e.Refused {
		put(l.refused, float64(n), cause)
	}
	put(l.frames, float64(e.In), "in")
	put(l.frames, float64(e.Out), "out")
	put(l.malformed, float64(e.Malformed))
	put(l.answers, float64(e.Late), "late")
	put(l.answers, float64(e.Unmatched), "unmatched")
	put(l.slowed, float64(e.Slowed))
}
