# Writes OUT, a header that holds a hash over all SOURCES.
set(hashes)
foreach(source IN LISTS SOURCES)
	file(SHA256 ${source} hash)
	string(APPEND hashes ${hash})
endforeach()
string(SHA256 hash "${hashes}")
string(SUBSTRING ${hash} 0 16 hash)
file(WRITE ${OUT} "#define JUDGEMENT_VERSION \"${hash}\"\n")
