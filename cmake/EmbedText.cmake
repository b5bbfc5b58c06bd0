# embed_text(TARGET name file): compiles a text file into TARGET as `plumbline::resources::name`,
# a std::string_view declared in the generated header embedded/name.h.
function(embed_text target name file)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  file(CONFIGURE OUTPUT ${out}/embedded/${name}.h @ONLY CONTENT
"#pragma once
#include <string_view>
namespace plumbline::resources { extern const std::string_view ${name}; }
")
  file(CONFIGURE OUTPUT ${out}/${name}.cpp @ONLY CONTENT
"#include \"embedded/${name}.h\"
namespace plumbline::resources { const std::string_view ${name} = R\"embedded(${text})embedded\"; }
")
  target_sources(${target} PRIVATE ${out}/${name}.cpp)
  target_include_directories(${target} PUBLIC ${out})
endfunction()
