/**
 * Runs inside the sandbox: the work tree against the base, as a thin pack on stdout headed by one line. Nothing is filled into it;
 * it takes its values as arguments: tree, base commit, size a file may have, number of new files there may be. GIT_DIR is ours.
 * Exit codes: 3 too large, 4 not readable as a change, 5 no git here.
 */
export const collectScript = String.raw`
set -u
tree=$1 base=$2 cap=$3 paths=$4
fail() { code=$1; shift; printf 'overnight: %s\n' "$*" >&2; exit "$code"; }
count() { tr -dc '\000' | wc -c | tr -d ' '; }
command -v git >/dev/null 2>&1 || fail 5 'there is no git in the sandbox'
[ -d "$tree" ] && [ ! -h "$tree" ] && cd "$tree" || fail 4 'the checkout is gone'

# git would wait for ever on a pipe with one of these names, and reads them whole.
odd=$(find . -path ./.git -prune -o \( -name .gitignore -o -name .gitattributes -o -name .gitmodules \) \
  \( -type p -o -type s -o -type b -o -type c -o -type f -size +1048576c \) -print | head -n 1)
[ -z "$odd" ] || fail 4 "$odd is not an ordinary small file"

# A repository inside the repository is taken as the files it holds.
find . -path ./.git -prune -o -name .git -prune -exec rm -rf {} + || fail 4 'a nested repository could not be read'

rm -f "$GIT_DIR/index.lock"
cp "$GIT_DIR/base-index" "$GIT_DIR/index" || fail 4 'no index'
large() { find . -path ./.git -prune -o -type f -size +"$cap"c -print0; }
[ "$(large | count)" -eq "$(large | git check-ignore -z --stdin | count)" ] || fail 3 'a file is too large'
[ "$(git ls-files -z --others --exclude-standard | count)" -le "$paths" ] || fail 3 'there are too many new files'

git add --all >/dev/null || exit 4
after=$(git write-tree) || exit 4
before=$(git rev-parse --verify "$base^{tree}") || exit 4
printf 'overnight-patch %s %s\n' "$base" "$after"
[ "$after" != "$before" ] || exit 0
commit=$(git commit-tree "$after" -p "$base" -m patch) || exit 4
printf '%s\n^%s\n' "$commit" "$base" | git pack-objects --quiet --revs --thin --delta-base-offset --stdout || exit 4
`
