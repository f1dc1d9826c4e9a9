package control

import (
	"context"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/wire"
)

// patience is how long a link may take to be lost.
const patience = 15 * time.Second

func cut(ctx context.Context, s *sim.Client, how sim.Cut) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.Cut(ctx, how)
}

// aDay is how long a station stays away at most.
const aDay = 24 * time.Hour

func reboot(ctx context.Context, s *sim.Client, b struct {
	Memory string   `json:"memory"`
	For    duration `json:"for"`
}) error {
	if b.Memory != "" && b.Memory != "keep" && b.Memory != "forget" {
		return wrong("memory: %q: want keep or forget", b.Memory)
	}
	off, err := b.For.upTo("for", aDay)
	if err != nil {
		return err
	}
	return cut(ctx, s, sim.Cut{For: off, PowerCycle: true, Forget: b.Memory == "forget"})
}

func disconnect(ctx context.Context, s *sim.Client, b struct {
	For        duration `json:"for"`
	KeepSocket bool     `json:"keep_socket"`
}) error {
	away, err := b.For.upTo("for", aDay)
	if err != nil {
		return err
	}
	return cut(ctx, s, sim.Cut{For: away, KeepSocket: b.KeepSocket})
}

func connect(_ context.Context, s *sim.Client, _ struct{}) error {
	s.Reconnect()
	return nil
}

// answer forces what the next calls are answered.
func answer(_ context.Context, s *sim.Client, b struct {
	Action   string         `json:"action"`
	Status   string         `json:"status"`
	Error    wire.ErrorCode `json:"error"`
	Silence  bool           `json:"silence"`
	CarryOut bool           `json:"carry_out"`
	Times    *int           `json:"times"`
}) error {
	times := 1
	if b.Times != nil {
		times = *b.Times
	}
	if times < 0 {
		return wrong("times: %d: want 0 or more", times)
	}
	return happen(s, func(m *sim.Machine, _ time.Time) ([]sim.Message, error) {
		if err := m.Force(b.Action, sim.Forced{Status: b.Status, Error: b.Error, Silence: b.Silence, CarryOut: b.CarryOut}, times); err != nil {
			return nil, wrong("%s", err)
		}
		return nil, nil
	})
}

type by struct {
	By duration `json:"by"`
}

func delay(_ context.Context, s *sim.Client, b by) error {
	const most = 10 * time.Minute
	d, err := b.By.upTo("by", most)
	if err == nil {
		s.SetDelay(d)
	}
	return err
}

// skew puts the station's clock so much ahead; negative: behind.
func skew(_ context.Context, s *sim.Client, b by) error {
	const most = 366 * aDay
	d := time.Duration(b.By)
	if d > most || d < -most {
		return wrong("by: want -%s to %s", most, most)
	}
	return happen(s, func(m *sim.Machine, now time.Time) ([]sim.Message, error) { return m.SetSkew(now, d), nil })
}
