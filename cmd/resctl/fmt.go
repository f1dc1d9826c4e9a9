package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
)

// formatting is one fmt on its way.
type formatting struct {
	*cli
	check, diff, recursive bool

	differ, failed bool
}

func (c *cli) fmtCommand() *cobra.Command {
	f := formatting{cli: c}
	cmd := &cobra.Command{
		Use: "fmt [PATH...]", Short: "Writes configuration files in their canonical form",
		Long: "Writes *.hcl and *.hclvars files in their canonical form, and lists those that it\n" +
			"changed: those in the directory, or in each PATH; - is standard input. What does\n" +
			"not parse stays as it is.\n\n" +
			"Exit codes: 0 done, 1 error, 3 something is not in its form (with --check).",
		RunE: func(_ *cobra.Command, args []string) error {
			c.view = c.newView(false)
			return f.run(args)
		},
	}
	s := cmd.Flags()
	s.BoolVar(&f.check, "check", false, "change nothing; exit with 3 if something would")
	s.BoolVar(&f.diff, "diff", false, "show what changes")
	s.BoolVar(&f.recursive, "recursive", false, "directories below as well")
	return cmd
}

func (f *formatting) run(paths []string) error {
	if len(paths) == 0 {
		paths = []string{f.directory()}
	}
	for _, p := range paths {
		if err := f.path(p); err != nil {
			return err
		}
	}
	switch {
	case f.failed:
		return exit(exitError)
	case f.check && f.differ:
		return exit(exitUnformatted)
	}
	return nil
}

func (f *formatting) path(path string) error {
	if path == "-" {
		return f.standardInput()
	}
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return unreadable(path, err)
	case !st.IsDir():
		return f.file(path)
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return unreadable(p, err)
		case d.IsDir() && p != path && (!f.recursive || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !config.Formatted(d.Name()):
			return nil
		}
		return f.file(p)
	})
}

func unreadable(path string, err error) error {
	return problemf("RC502", "File cannot be read", "%s: %s.", path, reasonOf(err, path))
}

func (f *formatting) standardInput() error {
	src, err := io.ReadAll(f.stdin)
	if err != nil {
		return unreadable("standard input", err)
	}
	out, _ := f.formatted("<stdin>", src)
	if out == nil || f.check || f.diff {
		return nil
	}
	_, err = f.stdout.Write(out)
	return err
}

// file formats one file, and says so.
func (f *formatting) file(path string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return unreadable(path, err)
	}
	out, differs := f.formatted(path, src)
	if !differs {
		return nil
	}
	if !f.diff {
		f.view.About(harmless(path))
	}
	if f.check {
		return nil
	}
	if err := rewrite(path, out); err != nil {
		return problemf(codeOutput, "The file cannot be written", "%s: %s.", path, reasonOf(err, path))
	}
	return nil
}

// formatted gives the canonical form, or nil where there is none; what is wrong
// with the source has been shown.
func (f *formatting) formatted(name string, src []byte) (out []byte, differs bool) {
	out, ds := config.Format(name, src)
	f.view.Diagnostics(ds)
	if ds.HasErrors() {
		f.failed = true
		return nil, false
	}
	differs = string(out) != string(src)
	f.differ = f.differ || differs
	if differs && f.diff {
		text := unified(name, string(src), string(out))
		if isTerminal(f.stdout) { // a patch has to be exact
			lines := strings.Split(text, "\n")
			for i := range lines {
				lines[i] = harmless(lines[i])
			}
			text = strings.Join(lines, "\n")
		}
		f.view.About(strings.TrimSuffix(text, "\n"))
	}
	return out, differs
}

// rewrite replaces a file whole or not at all, and keeps its permissions. A
// link stays one.
func rewrite(path string, b []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".resctl-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(st.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
