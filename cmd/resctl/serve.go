package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
	"github.com/resctl/resctl/web"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	listen   string
	insecure bool
	security securityFlags
	api      apiFlags
	watch    watchFlags
	rules    ruleFlags
	notify   notifyFlags
	metrics  string
	file     string    // of settings
	check    bool      // and no more
	json     bool      // what was found
	given    flagTexts // on the command line
	all      flagTexts
}

func (c *cli) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve (--listen ADDR | --config FILE)", Short: "Keeps the stations as they are declared, until it is stopped", Args: noMore,
		Long: "Keeps the stations as they are declared, until it is stopped: it lets them connect,\n" +
			"reserves when a window opens, repairs what they drop, and goes from one window of\n" +
			"a schedule to the next.\n\n" +
			"It logs what is recorded, from --log-level info on, which is its default. Ctrl-C or\n" +
			"SIGTERM stops it: calls in flight are recorded first.\n\n" +
			"Settings come from flags, and from the file of --config for those that have none on\n" +
			"the command line. SIGHUP reads the file again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(f.json)
			if f.json && !f.check {
				return problemf(codeUsage, "--json is for --check", "serve logs with --log-format json, and resctl events --json has the journal.")
			}
			if !cmd.Flags().Changed("log-level") {
				c.logLevel = "info"
			}
			f.given = flagsGiven(cmd.Flags())
			if err := c.fromFile(&f, cmd.Flags()); err != nil {
				return err
			}
			if f.check {
				return c.checkServe(cmd.Context(), f)
			}
			f.all = flagsOf(cmd.Flags())
			return c.serve(cmd.Context(), f)
		},
	}
	f.flags(cmd.Flags())
	return cmd
}

func (f *serveFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.file, "config", "", "settings that have no flag here are those of `FILE`, such as resctl.server.hcl")
	s.BoolVar(&f.check, "check", false, "say whether it would start, and how, and end")
	s.BoolVar(&f.json, "json", false, "with --check: write JSON")
	s.StringVar(&f.listen, "listen", "", "let stations connect to `ADDR`, such as 127.0.0.1:8887")
	s.BoolVar(&f.insecure, "insecure", false, "let other machines connect without station passwords, reach the API without tokens or TLS, and read the metrics")
	f.security.flags(s)
	f.api.flags(s)
	f.watch.flags(s)
	f.notify.flags(s)
	s.StringVar(&f.metrics, "metrics", "", "answer /metrics, /health and /ready at `ADDR`, such as 127.0.0.1:9880")
	f.rules.flags(s)
}

// serving is what serve shows when it begins.
type serving struct {
	place    place
	stations int // that are declared or named
	watched  []watchSettings
	api      string // its address; "": the socket alone
}

// settled refuses settings that mean nothing.
func (f *serveFlags) settled() ([]watchSettings, error) {
	if f.listen == "" {
		from := "with --config FILE"
		if f.file != "" {
			from = "with address in the ocpp block of " + harmless(f.file)
		}
		return nil, problemf(codeUsage, "Where do stations connect?", "Say it with --listen ADDR, such as --listen 0.0.0.0:8887, or %s.", from)
	}
	if err := f.rules.check(); err != nil {
		return nil, err
	}
	if _, err := f.api.check(f.insecure); err != nil {
		return nil, err
	}
	if _, err := f.notify.target(); err != nil {
		return nil, err
	}
	return f.watch.settings()
}

func (c *cli) serve(ctx context.Context, f serveFlags) (err error) {
	watched, err := f.settled()
	if err != nil {
		return err
	}
	w, err := takeOverFrom(ctx, c.statePath(), f.rules.settings(), c.logger(), int32(f.rules.firstID))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.follow(f.rules)
	if err := w.openDoor(ctx, f); err != nil {
		return err
	}
	look, err := listenForMetrics(f.metrics, f.insecure)
	if err != nil {
		return err
	}
	if look != nil {
		defer look.Close()
	}
	if w.api, err = w.openAPI(f.api, f.insecure); err != nil {
		return err
	}
	w.supervisor = newSupervisor(c.getenv)
	w.watchOver(metersFor(look, w.log))
	meta, err := w.Meta(ctx)
	if err != nil {
		return err
	}
	known, err := newRoster(ctx, w.Store, nil)
	if err != nil {
		return err
	}
	p := c.placeOf(w, meta)
	p.stations = "listening on " + w.listener.Addr().String()
	door, err := api.Listen(api.SocketOf(w.path))
	if err != nil {
		return problemf(codeAddress, "Commands cannot reach serve", "%s.", harmless(err.Error()))
	}
	defer door.Close()
	c.view.About(&serving{p, len(known.stations), watched, w.api.address()})
	ws := &watches{ledger: w.Ledger, state: w.path, env: c.env, log: w.log, proposed: w.monitor.proposed}
	w.monitor.watches = ws
	if w.herald, err = newHerald(w, ws, f.notify); err != nil {
		return err
	}
	again := &rereading{w: w, watches: ws, given: f.given, began: f.all}
	w.again = func() { again.read(ctx) }
	return w.serveWatched(ctx, look, func(ctx context.Context) error { return w.serveBoth(ctx, door, ws, watched) })
}

// openDoor takes the address where stations connect. Those that have no password
// by then keep it from being one that others reach; those that come later without
// one are not let in.
func (w *workplace) openDoor(ctx context.Context, f serveFlags) error {
	if err := w.checkKind(ctx, false); err != nil {
		return err
	}
	stored, err := w.Read(ctx)
	if err != nil {
		return err
	}
	if err := w.secure(f.security, f.listen, f.insecure, &reconcile.Plan{}, stored); err != nil {
		return err
	}
	if err := checkStrangers(f.rules, w.security.Profile, f.listen); err != nil {
		return err
	}
	return w.listen(f.listen)
}

// serveBoth serves commands and stations until ctx ends, or one of the two
// fails. Commands are refused before the stations' loops end.
func (w *workplace) serveBoth(ctx context.Context, door net.Listener, ws *watches, watched []watchSettings) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	documents := apiDocuments{func() clock { return clock{now: time.Now(), zone: time.Local, named: true} }}
	server := &api.Server{Ledger: served{w, ws}, Documents: documents, Calendar: documents.Calendar, Web: web.Handler(), Ready: w.ready, Log: w.log, Around: w.meters.API,
		Info: api.Info{Resctl: version, PID: os.Getpid(), Listen: w.listener.Addr().String()}}
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { w.watchJournal(ctx) })
	beside.Go(func() { w.keepProven(ctx, w.monitor.moved) })
	beside.Go(func() { w.herald.keepTelling(ctx) })
	ws.set(ctx, watched)
	defer ws.set(ctx, nil)
	w.api.admits(server)
	doors := []net.Listener{door}
	if w.api != nil {
		doors = append(doors, w.api)
	}
	answered := make(chan error, len(doors))
	for _, d := range doors {
		go func() {
			answered <- server.Run(ctx, d)
			stop()
		}()
	}
	err := w.serveLogged(ctx)
	stop()
	for range doors {
		err = errors.Join(err, <-answered)
	}
	return err
}

// serveLogged serves the stations until ctx ends, and logs what is recorded.
func (w *workplace) serveLogged(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	last, err := w.Last(whole)
	if err != nil {
		return err
	}
	w.log.Info("serving", "pid", os.Getpid(), "address", w.listener.Addr().String(), "state", w.path)
	logging, stop := context.WithCancel(whole)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		w.logEvents(logging, last)
	}()
	err = w.serve(ctx, false)
	stop()
	<-logged
	w.log.Info("stopped", "pid", os.Getpid())
	return err
}

// logEvents logs the journal after a sequence until ctx ends, and what was
// recorded by then.
func (w *workplace) logEvents(ctx context.Context, after int64) {
	meta, err := w.Meta(ctx)
	if err != nil {
		w.log.Error("what is recorded cannot be logged", "error", err)
		return
	}
	whole := context.WithoutCancel(ctx)
	rest := func(yield func(reservation.Event, error) bool) {
		w.EventsUntil(whole, state.Filter{After: after})(yield)
	}
	for _, lines := range []iter.Seq2[reservation.Event, error]{w.Events(ctx, after), rest} {
		for e, err := range lines {
			if err != nil {
				w.log.Error("what is recorded cannot be logged", "error", err)
				return
			}
			after = e.Seq
			w.monitor.recorded(e)
			w.logEvent(e.Masked(meta.Secret))
		}
	}
}

func (w *workplace) logEvent(e reservation.Event) {
	attrs := []slog.Attr{slog.Int64("seq", e.Seq), slog.String("kind", string(e.Kind))}
	for _, a := range [][2]string{{"station", e.StationID}, {"workspace", e.Workspace}, {"address", e.Address}} {
		if a[1] != "" {
			attrs = append(attrs, slog.String(a[0], harmless(a[1])))
		}
	}
	w.log.LogAttrs(context.Background(), slog.LevelInfo, harmless(journalText(e, clock{now: e.At, zone: time.UTC})), attrs...)
}

// serving is the first that serve says.
func (v *textView) serving(s *serving) {
	v.heading(s.place)
	v.out.line("Serving ", count(s.stations, "station"), " until Ctrl-C or SIGTERM.")
	if s.api != "" {
		v.out.line("The API is at ", s.api, ".")
	}
	for _, w := range s.watched {
		v.out.line("Keeping ", harmless(w.workspace), " as ", harmless(w.directory), " declares it.")
	}
	_ = v.out.Flush()
}
