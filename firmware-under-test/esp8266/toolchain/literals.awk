# LLVM 22 says what a function's literals are before it says in which section the function is, so that they land beside
# whatever came before. Here they are held back until the function's section is open.
/^\t\.literal(_position)?([ \t]|$)/ { held = held $0 "\n"; next }
/^\t\.type\t.*,@function/ { printf "%s", held; held = "" }
{ print }
END { printf "%s", held }
