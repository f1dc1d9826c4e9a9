package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/watch"
)

// watchSettings say of one directory how it is kept applied.
type watchSettings struct {
	workspace, directory string
	interval, settle     time.Duration
	maxCancel            int // of what is held now, without a person
}

// watchFlags are those flags of serve that name directories.
type watchFlags struct {
	of               []string // WORKSPACE=DIR
	interval, settle time.Duration
	maxCancel        int
	filed            []watchSettings // of the server file
}

func (f *watchFlags) flags(s *pflag.FlagSet) {
	s.StringArrayVar(&f.of, "watch", nil, "keep applied what a directory declares: `WORKSPACE=DIR`; may be repeated")
	spanVar(s, &f.interval, "watch-interval", time.Minute, "look at watched directories every `DURATION`; SIGHUP: at once")
	spanVar(s, &f.settle, "watch-settle", 5*time.Second, "take a watched directory when nothing in it has changed for `DURATION`")
	s.IntVar(&f.maxCancel, "watch-max-cancel", defaultMaxCancel, "hold a plan of a watched directory that cancels more than `N` of what is held now")
}

// settings reads the flags.
func (f *watchFlags) settings() (list []watchSettings, err error) {
	for _, text := range f.of {
		workspace, dir, ok := strings.Cut(text, "=")
		if !ok || workspace == "" || dir == "" {
			return nil, problemf(codeUsage, "Wrong value for --watch", "%q: write WORKSPACE=DIR, such as depot-b=/srv/depot-b.", text)
		}
		list = append(list, watchSettings{workspace, dir, f.interval, f.settle, f.maxCancel})
	}
	list = append(list, f.filed...)
	return list, checkWatches(list)
}

// checkWatches refuses what cannot be watched, whatever is in the directories.
func checkWatches(list []watchSettings) error {
	seen := map[string]string{}
	for _, s := range list {
		switch first, twice := seen[s.workspace]; {
		case twice:
			return problemf(codeUsage, "A workspace is watched twice", "%s is to follow %s and %s. A workspace follows one directory, whose modules may be others.", s.workspace, first, s.directory)
		case s.interval < time.Millisecond:
			return problemf(codeUsage, "Wrong interval of a watch", "%s: look at least a millisecond apart; a minute is the default.", s.workspace)
		case s.maxCancel < 0:
			return problemf(codeUsage, "Wrong limit of a watch", "%s: the number of cancellations is 0 or more.", s.workspace)
		}
		seen[s.workspace] = s.directory
	}
	return nil
}

// watches are the directories that a serving process keeps applied.
type watches struct {
	ledger *reconcile.Ledger
	state  string   // its path: what begins with it is no configuration
	env    []string // for variables
	log    *slog.Logger
	// proposed hears what became of a proposal, for the metrics; nil: nobody does.
	proposed func(err error)

	mu  sync.Mutex
	all map[string]*watched
}

// set watches these from now on, and no others when it returns. One whose settings
// have not changed goes on, and is looked at at once.
func (ws *watches) set(ctx context.Context, list []watchSettings) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	next := map[string]*watched{}
	for _, s := range list {
		if w := ws.all[s.workspace]; w != nil && w.watchSettings == s {
			next[s.workspace] = w
			w.look()
		}
	}
	for name, w := range ws.all {
		if next[name] != w {
			w.stop()
			<-w.ended // two never propose for one workspace
		}
	}
	for _, s := range list {
		if next[s.workspace] == nil {
			next[s.workspace] = ws.start(ctx, s)
		}
	}
	ws.all = next
}

// start watches one directory until ctx ends, or it is stopped.
func (ws *watches) start(ctx context.Context, s watchSettings) *watched {
	ctx, stop := context.WithCancel(ctx)
	w := &watched{watchSettings: s, watches: ws, stop: stop, ended: make(chan struct{}), nudge: make(chan struct{}, 1),
		status: api.Watch{Workspace: s.workspace, Directory: s.directory, State: api.WatchReading, Since: time.Now().UTC(), Code: codeUnreadable, Summary: "the directory has not been read yet"}}
	watcher := watch.Watcher{Dir: s.directory, Interval: s.interval, Settle: s.settle, Ignore: ws.ignore(), Nudge: w.nudge, Visit: w.visit, Restless: w.restless}
	go func() {
		defer close(w.ended)
		watcher.Run(ctx)
	}()
	return w
}

// ignore leaves out the state and what lies beside it under its name.
func (ws *watches) ignore() func(string) bool {
	state := realPath(ws.state)
	return func(path string) bool { return strings.HasPrefix(path, state) }
}

// of is the watch of a workspace; nil: it follows no directory.
func (ws *watches) of(workspace string) *watched {
	if ws == nil {
		return nil
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.all[workspace]
}

// list is how they stand, by workspace.
func (ws *watches) list() []api.Watch {
	list := []api.Watch{}
	if ws == nil {
		return list
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(ws.all)) {
		list = append(list, ws.all[name].now())
	}
	return list
}

// watched is one directory that is kept applied.
type watched struct {
	watchSettings
	*watches
	stop  func()
	ended chan struct{}
	nudge chan struct{}

	acting sync.Mutex // held while a plan is made and stored

	held held // guarded by acting

	statusMu sync.Mutex
	status   api.Watch
}

// look asks for a look at once.
func (w *watched) look() {
	select {
	case w.nudge <- struct{}{}:
	default: // one is due
	}
}

// now is how it stands.
func (w *watched) now() api.Watch {
	w.statusMu.Lock()
	defer w.statusMu.Unlock()
	return w.status
}

// tell takes in how it stands, and logs what is new.
func (w *watched) tell(next api.Watch) {
	w.statusMu.Lock()
	defer w.statusMu.Unlock()
	was := w.status
	next.Workspace, next.Directory, next.Since = w.workspace, w.directory, was.Since
	next.Revision = cmp.Or(next.Revision, was.Revision)
	if next.State != was.State {
		next.Since = time.Now().UTC().Truncate(time.Second)
	}
	w.status = next
	if next.State == was.State && next.Code == was.Code && next.Summary == was.Summary {
		return
	}
	level, attrs := slog.LevelWarn, []any{"workspace", w.workspace, "directory", w.directory, "revision", harmless(next.Revision)}
	if next.State == api.WatchApplied {
		level = slog.LevelInfo
	} else {
		attrs = append(attrs, "code", next.Code, "why", harmless(next.Summary))
	}
	w.log.Log(context.Background(), level, "a watched directory is "+string(next.State), attrs...)
}

// restless is told that the directory keeps changing.
func (w *watched) restless(since time.Time) {
	next := w.now()
	if next.State == api.WatchHeld {
		return // a person is to look at it all the same
	}
	next.State, next.Code, next.Findings = api.WatchBroken, codeUnreadable, nil
	next.Summary = "the directory has kept changing since " + since.UTC().Format("15:04:05 MST") + ": it must rest for " + w.settle.String()
	w.tell(next)
}
