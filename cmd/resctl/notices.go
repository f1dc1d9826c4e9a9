package main

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config/server"
	"github.com/resctl/resctl/notify"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// notifyFlags say who is told what a person should look at.
type notifyFlags struct {
	url, secretFile string
	grace           time.Duration
	secret          string // of the server file
}

func (f *notifyFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.url, "notify-url", "", "send signed notifications of what a person should look at to `URL`, such as https://hooks.example/resctl")
	s.StringVar(&f.secretFile, "notify-secret-file", "", "the notifications are signed with the secret in `FILE`: 16 characters or more")
	spanVar(s, &f.grace, "notify-grace", driftGrace, "notify of drift that is older than `DURATION`: most of it settles by itself")
}

// target is who is told; nil: nobody.
func (f *notifyFlags) target() (*notify.Target, error) {
	most := server.MaxGrace
	switch {
	case f.url == "" && f.secretFile == "":
		return nil, nil
	case f.url == "":
		return nil, problemf(codeUsage, "Whom does serve notify?", "There is a secret for notifications. Say where they go, with --notify-url URL.")
	case f.grace < 0 || f.grace > most:
		return nil, problemf(codeUsage, "Wrong --notify-grace", "It is a duration up to %s.", spans{&most})
	}
	if err := notify.CheckURL(f.url); err != nil {
		return nil, problemf(codeUsage, "Wrong --notify-url", "%s.", capital(err.Error()))
	}
	secret := f.secret
	if f.secretFile != "" {
		var err error
		if secret, err = server.ReadSecret(f.secretFile); err != nil {
			return nil, problemf(codeUsage, "Wrong --notify-secret-file", "%s: %s.", f.secretFile, err)
		}
	}
	if secret == "" {
		return nil, problemf(codeUsage, "No secret for notifications", "They are signed: name a file with 16 random characters or more with --notify-secret-file FILE.")
	}
	return &notify.Target{URL: f.url, Secret: []byte(secret), Version: version}, nil
}

const (
	// heraldEvery is how often somebody looks whether there may be something to notify of.
	heraldEvery = time.Second
	// heraldAnyway is after how long things are looked at though nothing was recorded:
	// what is not as wanted becomes old enough by itself.
	heraldAnyway = 30 * time.Second
	// heraldShare is how many times as long as a look takes nobody looks.
	heraldShare = 50
	// settles is how long drift must be gone before it is said to be over.
	settles = 2 * time.Minute
)

// herald has somebody else's program told what a person should look at.
type herald struct {
	*notify.Notifier
	w       *workplace
	watches *watches
	grace   atomic.Int64 // nanoseconds
	another atomic.Bool  // settings came: somebody may have been told nothing yet
}

func newHerald(w *workplace, ws *watches, f notifyFlags) (*herald, error) {
	t, err := f.target()
	h := &herald{Notifier: &notify.Notifier{Log: w.log}, w: w, watches: ws}
	h.set(t, f.grace)
	return h, err
}

// set tells another, or nobody, from now on.
func (h *herald) set(t *notify.Target, grace time.Duration) {
	if h == nil {
		return
	}
	h.grace.Store(int64(grace))
	h.Set(t)
	h.another.Store(true)
}

// keepTelling looks until ctx ends. What it finds is sent beside it.
func (h *herald) keepTelling(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() { h.Run(ctx) })
	var seen int64
	var next, anyway time.Time
	tick := time.NewTicker(heraldEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if now.Before(next) || !h.Wanted() {
			continue
		}
		last, err := h.w.Last(ctx)
		if another := h.another.Swap(false); err == nil && !another && last == seen && now.Before(anyway) {
			continue
		}
		if err == nil {
			err = h.look(ctx)
		}
		h.w.logFailed(ctx, "what is to be notified of could not be read", err)
		seen, next, anyway = last, time.Now().Add(heraldShare*time.Since(now)), now.Add(heraldAnyway)
	}
}

// look tells all that stands.
func (h *herald) look(ctx context.Context) error {
	drift, err := h.w.Drift(ctx, time.Duration(h.grace.Load()))
	if err != nil {
		return err
	}
	meta, err := h.w.Meta(ctx)
	if err != nil {
		return err
	}
	now := h.w.Now()
	h.Tell(standing(drift, h.watches.list(), meta.Frozen, now), now)
	return nil
}

// competitors are who does not fit together, and where: several proofs may begin
// with the same address.
func competitors(d *reconcile.Drifted) string {
	var parts []string
	for _, m := range d.Members {
		parts = append(parts, m.Workspace+" "+m.Address)
	}
	for _, n := range d.EVSEs {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, "\x00")
}

// standing is what a person should look at, as others are told of it: never a token,
// and never how a station is reached.
func standing(drift []reconcile.Drifted, watched []api.Watch, frozen map[string]reservation.Halt, now time.Time) (all []notify.Notice) {
	utc := clock{now: now, zone: time.UTC}
	for i := range drift {
		d := drift[i]
		d.Info = harmless(d.Info)
		all = append(all, notify.Notice{Kind: string(d.Kind), Workspace: d.Workspace, StationID: d.StationID, Address: d.Address,
			About: competitors(&d), Summary: driftText(&d), Detail: nextOfDrift(&d, utc), Since: d.Since.UTC(), Settle: settles})
	}
	for i := range watched {
		x := &watched[i]
		switch x.State {
		case api.WatchHeld, api.WatchRefused, api.WatchBroken:
			all = append(all, notify.Notice{Kind: "watch " + string(x.State), Workspace: x.Workspace, Since: x.Since.UTC(),
				Summary: "what " + harmless(x.Directory) + " declares is not applied: " + harmless(x.Code+" "+x.Summary), Detail: new(cli).nextOfWatch(x)})
		}
	}
	for name, halt := range frozen {
		if !halt.Stands(now) {
			continue
		}
		n := notify.Notice{Kind: "frozen", Workspace: name, Summary: name + " takes no proposals: it is " + frozenFor(&reservation.FrozenError{Workspace: name, Halt: halt}), Since: halt.Since.UTC()}
		if name == reservation.AllWorkspaces {
			n.Workspace, n.Summary = "", "no workspace takes proposals: all are "+frozenFor(&reservation.FrozenError{Workspace: name, Halt: halt})
		}
		if n.Detail = "until it is lifted with resctl unfreeze"; !halt.Until.IsZero() {
			n.Detail = "until " + halt.Until.UTC().Format(time.RFC3339) + ", or until it is lifted with resctl unfreeze"
		}
		all = append(all, n)
	}
	return all
}
