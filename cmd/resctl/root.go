package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reservation"
)

// cli is one run of the program: where it reads and writes, and the flags that
// every command has.
type cli struct {
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	env    []string

	chdir      string
	state      string
	serverFlag string
	noColor    bool
	logLevel   string
	logFormat  string

	view    view              // chosen by the command; nil until then
	whole   bool              // tokens are asked for by their characters
	belongs *config.Belonging // what the directory says; nil: it was not asked yet
}

func newCLI(stdin, stdout, stderr *os.File, env []string) *cli {
	return &cli{stdin: stdin, stdout: stdout, stderr: stderr, env: env}
}

// run is the whole program but for its signals.
func (c *cli) run(ctx context.Context, args []string) int {
	root := c.command()
	root.SetArgs(longFlags(root, args))
	err := root.ExecuteContext(ctx)
	code := exitOK
	if err != nil {
		code = c.report(ctx, err)
	}
	if c.view != nil {
		if err := c.view.Close(); err != nil {
			code = max(code, exitError)
			c.tellUnwritten(err)
		}
	}
	return code
}

// tellUnwritten says that a file is not there. That nobody reads standard output
// any more is told to nobody.
func (c *cli) tellUnwritten(err error) {
	var p *problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, syscall.EPIPE):
		return
	default:
		p = problemf(codeOutput, "The output cannot be written", "%s.\nThe command itself may have done its work.", reasonOf(err, "standard output"))
	}
	v := c.newView(false)
	v.Diagnostics(p.diagnostics())
	_ = v.Close() // there is nobody left to tell
}

// report says what went wrong, in the form that was asked for.
func (c *cli) report(ctx context.Context, err error) int {
	var code exit
	if errors.As(err, &code) {
		return int(code)
	}
	p := asProblem(err)
	var frozen *reservation.FrozenError
	if errors.As(err, &frozen) {
		p = c.frozenProblem(frozen)
	}
	if p.code == codeFailed && interrupted(ctx) {
		p = problemf(codeStopped, "Interrupted", "Nothing was stored.")
	}
	v := c.view
	if v == nil {
		v = c.newView(false)
	}
	v.Diagnostics(p.diagnostics())
	return exitError
}

// command is the tree of commands.
func (c *cli) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "resctl",
		Short: "Keeps charging-station reservations as they are declared",
		Long: "resctl keeps the reservations of charging stations the way they are declared in\n" +
			"*.hcl files: plan shows what would change, apply makes it so.",
		Example: "  resctl apply -C examples --simulate     try it out; no station is needed\n" +
			"  resctl plan                             what would change\n" +
			"  resctl apply --listen 0.0.0.0:8887      let the stations connect",
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs,
		RunE: c.unknown,
	}
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageFunc(usage)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SetHelpCommand(&cobra.Command{Use: "help [COMMAND]", Short: "Shows help for a command", RunE: func(cmd *cobra.Command, args []string) error {
		about, _, err := root.Find(args)
		if err != nil {
			return c.unknown(cmd, args)
		}
		return about.Help()
	}})
	root.AddCommand(c.readingCommands()...)
	f := root.PersistentFlags()
	f.StringVarP(&c.chdir, "chdir", "C", "", "work on the configuration in `DIR`")
	f.StringVar(&c.state, "state", "", "state `FILE` (default RESCTL_STATE, or resctl.db in DIR)")
	f.StringVar(&c.serverFlag, "server", "", "work through the resctl serve at `URL` (default RESCTL_SERVER, or server in the resctl block); RESCTL_TOKEN lets in")
	f.BoolVar(&c.noColor, "no-color", false, "no colours (as with NO_COLOR, or without a terminal)")
	f.StringVar(&c.logLevel, "log-level", "warn", "`LEVEL` is debug, info, warn or error")
	f.StringVar(&c.logFormat, "log-format", "text", "`FORMAT` is text or json")
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if f := cmd.Flags().Lookup("json"); f != nil && f.Value.String() == "true" {
			v := c.newView(true).(*jsonView) // what is wrong from here on is JSON as well
			v.stream = cmd.Name() == "apply" || cmd.Name() == "destroy"
			c.view = v
		}
		if f := cmd.Flags().Lookup("show-id-tokens"); f != nil {
			c.whole = f.Value.String() == "true"
		}
		if err := c.checkGlobals(); err != nil {
			return err
		}
		return c.checkPlace(cmd)
	}
	root.AddCommand(c.initCommand(), c.completionCommand(), c.planCommand(), c.applyCommand(), c.destroyCommand(), c.fmtCommand(), c.showCommand(), c.serveCommand(), c.simulateCommand(), c.validateCommand(), c.outputCommand(), c.versionCommand(),
		c.freezeCommand(), c.unfreezeCommand(), c.pauseCommand(), c.resumeCommand(), c.backupCommand(), c.restoreCommand(), c.tokenCommand(), c.importCommand())
	return root
}

// unknown is for a first argument that is no command.
func (c *cli) unknown(cmd *cobra.Command, args []string) error {
	root := cmd.Root()
	if len(args) == 0 {
		return root.Help()
	}
	if way := otherWays()[args[0]]; way != "" {
		return problemf(codeOtherWay, "There is no "+args[0]+" here", "%s", way)
	}
	hint := "See resctl --help."
	if s := root.SuggestionsFor(args[0]); len(s) > 0 {
		hint = fmt.Sprintf("Did you mean %q?", s[0])
	}
	return problemf(codeUsage, fmt.Sprintf("Unknown command %q", args[0]), "%s", hint)
}

// wrongFlag explains a flag that cannot be read, and what may have been meant.
func wrongFlag(cmd *cobra.Command, err error) error {
	text := err.Error()
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		return problemf(codeUsage, "Wrong value for --"+wrong.GetFlag().Name, "%s", wrongValue(wrong))
	}
	name, found := strings.CutPrefix(text, "unknown flag: --")
	if !found {
		return problemf(codeUsage, "Wrong flag", "%s.\nSee %s --help.", text, cmd.CommandPath())
	}
	if way := otherFlags()[name]; way != "" {
		return problemf(codeOtherWay, "There is no --"+name+" here", "%s", way)
	}
	hint := "See " + cmd.CommandPath() + " --help."
	best := 3
	known := func(f *pflag.Flag) {
		if d := levenshtein.Distance(name, f.Name, nil); d < best && !f.Hidden {
			best, hint = d, fmt.Sprintf("Did you mean --%s?", f.Name)
		}
	}
	cmd.Flags().VisitAll(known)
	cmd.InheritedFlags().VisitAll(known)
	return problemf(codeUsage, "Unknown flag --"+name, "%s", hint)
}

// wrongValue says what a flag takes.
func wrongValue(e *pflag.InvalidValueError) string {
	what := e.Unwrap().Error() + "."
	switch e.GetFlag().Value.Type() {
	case "int":
		what = "write a whole number, such as 10."
	case "bool":
		what = "it is true or false."
	}
	return fmt.Sprintf("%q: %s", e.GetValue(), what)
}

// below are the commands below one, and those below them.
func below(cmd *cobra.Command) (list []*cobra.Command) {
	for _, c := range cmd.Commands() {
		list = append(append(list, c), below(c)...)
	}
	return list
}

// longFlags lets known long flags be written with one dash, as Terraform has
// them: pflag would read -json as five short ones.
func longFlags(root *cobra.Command, args []string) []string {
	known := map[string]*pflag.Flag{}
	note := func(f *pflag.Flag) { known[f.Name] = f }
	root.PersistentFlags().VisitAll(note)
	for _, c := range below(root) {
		c.Flags().VisitAll(note)
	}
	known["help"] = &pflag.Flag{NoOptDefVal: "true"}
	out := make([]string, len(args))
	value := false // of the flag before
	for i, a := range args {
		out[i] = a
		if a == "--" {
			copy(out[i:], args[i:])
			return out
		}
		if value || !strings.HasPrefix(a, "-") {
			value = false
			continue
		}
		name, _, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		f := known[name]
		if len(name) > 1 && !strings.HasPrefix(a, "--") && (f != nil || !strings.HasPrefix(a, "-C")) {
			out[i] = "-" + a // also one that is none, to be named in full
		}
		value = a == "-C" || f != nil && f.NoOptDefVal == "" && !given
	}
	return out
}

// checkGlobals refuses global flags that mean nothing.
func (c *cli) checkGlobals() error {
	if c.chdir != "" {
		if st, err := os.Stat(c.chdir); err != nil || !st.IsDir() {
			return problemf(codeDirectory, "No such directory", "--chdir names %q, which is not a directory here.", c.chdir)
		}
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		return problemf(codeUsage, "Unknown log format", "--log-format is text or json, not %q.", c.logFormat)
	}
	var level slog.Level
	if level.UnmarshalText([]byte(c.logLevel)) != nil {
		return problemf(codeUsage, "Unknown log level", "--log-level is debug, info, warn or error, not %q.", c.logLevel)
	}
	return nil
}

// logger writes to standard error what is for those who run it, not use it.
func (c *cli) logger() *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.logLevel)) // checkGlobals has read it
	o := &slog.HandlerOptions{Level: level}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(c.stderr, o))
	}
	return slog.New(slog.NewTextHandler(c.stderr, o))
}

// getenv reads the environment that the program was given; "" is unset.
func (c *cli) getenv(name string) string {
	for _, e := range c.env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// statePath is where the state is: as said by flag, environment, directory.
func (c *cli) statePath() string {
	switch {
	case c.state != "":
		return c.state
	case c.getenv("RESCTL_STATE") != "":
		return c.getenv("RESCTL_STATE")
	}
	return filepath.Join(c.chdir, "resctl.db")
}

// newView is how this run writes things down.
func (c *cli) newView(asJSON bool) view {
	if asJSON {
		return &jsonView{out: bufio.NewWriterSize(c.stdout, 64<<10)}
	}
	v := &textView{out: newSheet(c.stdout, c.colors(c.stdout)), err: newSheet(c.stderr, c.colors(c.stderr)), clock: c.clock}
	if isTerminal(c.stdout) {
		v.width, _, _ = term.GetSize(int(c.stdout.Fd()))
	}
	v.live = isTerminal(c.stderr)
	return v
}

func (c *cli) clock() clock { return localClock() }

func localClock() clock { return clock{now: time.Now(), zone: time.Local} }

// colors reports whether a stream is a terminal that wants colours.
func (c *cli) colors(f *os.File) bool {
	return !c.noColor && c.getenv("NO_COLOR") == "" && c.getenv("TERM") != "dumb" && isTerminal(f)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// noMore is cobra.NoArgs in our words.
func noMore(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return problemf(codeUsage, "Too many arguments", "%s takes none, and was given %q. See %s --help.", cmd.CommandPath(), args[0], cmd.CommandPath())
}

// oneFile is for commands that take a plan file.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) <= 1 {
		return nil
	}
	return noMore(cmd, args[1:])
}
