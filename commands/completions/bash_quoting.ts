/**
 * Functions of bash that quote words for readline.
 *
 * @module
 */

/** The characters that mean nothing to bash, and end no word for readline but at those of COMP_WORDBREAKS. */
const PLAIN = "[:alnum:]_./%,+@:=-";

/** The functions, for a script. */
export const QUOTING =
  `# Sets \`unquoted\` to a word as bash reads it, and \`mark\` to the quotation mark that is open at its end. Expands nothing.
_deno_ssh_proxy_unquote() { # _deno_ssh_proxy_unquote WORD
  local word=$1 at char
  unquoted= mark=
  for ((at = 0; at < \${#word}; at++)); do
    char=\${word:at:1}
    case $mark$char in
    \\\\)
      at=$((at + 1))
      unquoted+=\${word:at:1}
      ;;
    \\"\\\\)
      [[ \${word:at+1:1} != [\\$\\\`\\"\\\\] ]] || at=$((at + 1))
      unquoted+=\${word:at:1}
      ;;
    \\' | \\") mark=$char ;;
    \\'\\' | \\"\\") mark= ;;
    *) unquoted+=$char ;;
    esac
  done
}

# Sets \`quoted\` to a word that bash reads as this one, behind \`mark\`. A character is always quoted in the same way, so that
# words with a common beginning have one as well when they are quoted. (What compopt -o filenames quotes is not all.)
_deno_ssh_proxy_quote() { # _deno_ssh_proxy_quote WORD
  local word=$1 at char
  quoted=$word
  [[ $word == *[!${PLAIN}]* ]] || return
  quoted=
  for ((at = 0; at < \${#word}; at++)); do
    char=\${word:at:1}
    case $mark$char in
    \\"[\\"\\$\\\`\\\\]) quoted+=\\\\$char ;;
    \\"!) quoted+='"\\!"' ;;
    \\'\\') quoted+="'\\\\''" ;;
    [\\"\\']? | [${PLAIN}]) quoted+=$char ;;
    [[:cntrl:]]) quoted+=\\'$char\\' ;;
    *) quoted+=\\\\$char ;;
    esac
  done
}

# Has readline insert the offered words quoted. What all of them have in common is offered as well where it may be all that
# is inserted, so that no backslash alone is.
_deno_ssh_proxy_quote_all() {
  local common=\${COMPREPLY[0]} word at quoted is_cut=yes
  for word in "\${COMPREPLY[@]}"; do
    while [[ $word != "$common"* ]]; do common=\${common%?}; done
  done
  for word in "\${COMPREPLY[@]}"; do
    [[ \${word:\${#common}:1} != [${PLAIN}] ]] || is_cut=
  done
  [[ -z $is_cut || \${#COMPREPLY[@]} == 1 ]] || COMPREPLY+=("$common")
  for at in "\${!COMPREPLY[@]}"; do
    _deno_ssh_proxy_quote "\${COMPREPLY[at]}"
    COMPREPLY[at]=$quoted
  done
}

`;
