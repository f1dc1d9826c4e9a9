package config

import (
	"os"

	"github.com/resctl/resctl/config/lang"
)

// Belonging is where a configuration belongs: what its resctl block says of
// workspace and server. Both are empty where it says nothing.
type Belonging struct{ Workspace, Server string }

// Whither reads the resctl block of a directory, and evaluates nothing. What
// cannot be read says nothing: Load tells what is wrong with it.
func Whither(dir string) (b Belonging) {
	l := newLoader(Options{Dir: dir})
	defer func() {
		if recover() != nil { // as in Load
			b = Belonging{}
		}
	}()
	root, err := os.OpenRoot(l.opts.Dir)
	if err != nil {
		return b
	}
	defer root.Close()
	l.files = lang.NewFiles(root, l.limits)
	d := l.openDirectory(".")
	if d == nil {
		return b
	}
	l.readSettings(d)
	b.Server = l.cfg.Server
	if l.cfg.WorkspaceExplicit {
		b.Workspace = l.cfg.Workspace
	}
	return b
}
