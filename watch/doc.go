// Package watch finds out that a directory of configuration has changed, and
// that the change is whole. It looks at contents, again and again, and needs
// neither notices of the file system nor a git program: a directory may lie on
// a network, in a volume that another container fills, or behind a symbolic link
// that is swapped.
package watch
