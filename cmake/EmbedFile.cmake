# embed_file(TARGET name file): puts a binary file into TARGET as `plumbline::resources::name`, a std::string_view
# declared in the generated header embedded/name.h, with its SHA-256 as `name_sha256`.
function(embed_file target name file)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(SHA256 ${file} sha256)
  file(CONFIGURE OUTPUT ${out}/embedded/${name}.h @ONLY CONTENT
"#pragma once
#include <string_view>
namespace plumbline::resources {
extern const std::string_view ${name};
inline constexpr std::string_view ${name}_sha256 = \"${sha256}\";
}
")
  # The assembler reads the file: a string literal of this size takes the compiler minutes.
  file(CONFIGURE OUTPUT ${out}/${name}.cpp @ONLY CONTENT
"// SHA-256 ${sha256}
#include \"embedded/${name}.h\"
__asm__(
    \".section .rodata\\n\"
    \".balign 16\\n\"
    \"plumbline_${name}_begin:\\n\"
    \".incbin \\\"${file}\\\"\\n\"
    \"plumbline_${name}_end:\\n\"
    \".byte 0\\n\"
    \".previous\\n\");
extern \"C\" {
extern const char plumbline_${name}_begin[];
extern const char plumbline_${name}_end[];
}
namespace plumbline::resources {
const std::string_view ${name}{plumbline_${name}_begin,
                               static_cast<std::size_t>(plumbline_${name}_end - plumbline_${name}_begin)};
}
")
  set_source_files_properties(${out}/${name}.cpp PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${out}/${name}.cpp)
  target_include_directories(${target} PUBLIC ${out})
endfunction()
