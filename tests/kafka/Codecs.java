import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.util.JsonFormat;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.Encoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

/**
 * Writes and reads payloads as Java programs do. Each line of stdin is a command, its arguments apart by tabs; each line
 * of stdout is what came of it.
 *
 * avro-write SCHEMA JSON -> hex; avro-read SCHEMA HEX -> JSON; protobuf-write JSON -> hex; protobuf-read HEX -> JSON, for
 * message M { string name = 1; int32 n = 2; repeated string tags = 3; int64 l = 4; }.
 */
final class Codecs {
    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            out.println(answer(line.split("\t")));
        }
    }

    private static String answer(String[] command) throws Exception {
        return switch (command[0]) {
            case "avro-write" -> avroWrite(new Schema.Parser().parse(command[1]), command[2]);
            case "avro-read" -> avroRead(new Schema.Parser().parse(command[1]), hex(command[2]));
            case "protobuf-write" -> protobufWrite(command[1]);
            case "protobuf-read" -> protobufRead(command.length > 1 ? hex(command[1]) : new byte[0]);
            default -> throw new IllegalArgumentException(command[0]);
        };
    }

    private static String avroWrite(Schema schema, String json) throws Exception {
        Object value = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, json));
        var bytes = new ByteArrayOutputStream();
        Encoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<>(schema).write(value, encoder);
        encoder.flush();
        return HexFormat.of().formatHex(bytes.toByteArray());
    }

    private static String avroRead(Schema schema, byte[] bytes) throws Exception {
        Object value = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
        var text = new ByteArrayOutputStream();
        JsonEncoder encoder = EncoderFactory.get().jsonEncoder(schema, text);
        new GenericDatumWriter<>(schema).write(value, encoder);
        encoder.flush();
        return text.toString(StandardCharsets.UTF_8);
    }

    private static String protobufWrite(String json) throws Exception {
        var builder = DynamicMessage.newBuilder(message());
        JsonFormat.parser().merge(json, builder);
        return HexFormat.of().formatHex(builder.build().toByteArray());
    }

    private static String protobufRead(byte[] bytes) throws Exception {
        return JsonFormat.printer().omittingInsignificantWhitespace().alwaysPrintFieldsWithNoPresence()
            .print(DynamicMessage.parseFrom(message(), bytes));
    }

    private static Descriptor message() throws Exception {
        var message = DescriptorProto.newBuilder().setName("M")
            .addField(field("name", 1, FieldDescriptorProto.Type.TYPE_STRING, false))
            .addField(field("n", 2, FieldDescriptorProto.Type.TYPE_INT32, false))
            .addField(field("tags", 3, FieldDescriptorProto.Type.TYPE_STRING, true))
            .addField(field("l", 4, FieldDescriptorProto.Type.TYPE_INT64, false));
        var file = FileDescriptorProto.newBuilder().setName("m.proto").setSyntax("proto3").addMessageType(message);
        return FileDescriptor.buildFrom(file.build(), new FileDescriptor[0]).findMessageTypeByName("M");
    }

    private static FieldDescriptorProto field(String name, int number, FieldDescriptorProto.Type type, boolean isList) {
        var label = isList ? FieldDescriptorProto.Label.LABEL_REPEATED : FieldDescriptorProto.Label.LABEL_OPTIONAL;
        return FieldDescriptorProto.newBuilder().setName(name).setNumber(number).setType(type).setLabel(label).build();
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
